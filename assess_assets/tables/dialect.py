"""One SQL text for engine and DuckDB: what DuckDB lacks of the SQL that checks are written in.

Whoever opens a DuckDB session for people runs these first. Everything else that a check's query
uses means the same in Sail, Apache Spark and DuckDB (tested query by query).
"""

DUCKDB_MACROS = (
    "CREATE MACRO explode(list) AS unnest(list)",
    "CREATE MACRO sequence(first, last) AS generate_series(first, cast(last AS BIGINT))",
    "CREATE MACRO map_from_arrays(keys, items) AS map(keys, items)",
    "CREATE MACRO unix_micros(instant) AS epoch_us(instant)",
)
