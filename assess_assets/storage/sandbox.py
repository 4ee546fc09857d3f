"""One customer's tables as SQL, and nothing else: a DuckDB session that reaches no file by itself.

Belongs here: what is in the session, and how it is locked. Does not: how results are shown (cli/).
No engine is started: tables are read from their Delta logs, at the versions current when it opens.
"""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.dataset
from deltalake import DeltaTable, Schema

from assess_assets.storage.layout import LakeLayout
from assess_assets.storage.older_tables import new_fields
from assess_assets.storage.opening import open_existing
from assess_assets.tables.contract import TableContract
from assess_assets.tables.dialect import DUCKDB_MACROS
from assess_assets.tables.registry import CUSTOMER_TABLES, table_named

if TYPE_CHECKING:
    import duckdb

# Set when the database is made: names in a query never mean this process's own variables, and
# nothing is loaded, kept or spilled anywhere.
_CLOSED: Final[dict[str, str | bool | int | float | list[str]]] = {
    "python_enable_replacements": "false",
    "python_scan_all_frames": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "temp_directory": "",
}
# Last of all, in this order: from here on no setting changes any more.
_LOCK: Final = (
    "SET TimeZone = 'UTC'",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)
# DuckDB ends some errors with how to install and load an extension, which nobody can here.
_HOW_TO_LOAD: Final = re.compile(r"\s*Please try installing and loading .*", re.DOTALL)
_INSTEAD: Final = (
    "\nNo extension can be loaded here. There are the customer's tables (SHOW TABLES) and DuckDB's "
    "own functions (SELECT DISTINCT function_name FROM duckdb_functions() ORDER BY ALL)."
)
_ONE_PIVOT: Final = (
    "\nA PIVOT is one SELECT if it names its columns: PIVOT t ON c IN ('a', 'b') USING sum(n), or "
    "FROM t PIVOT (sum(n) FOR c IN ('a', 'b'))."
)
# What comes before the statement that is explained.
_EXPLAIN: Final = re.compile(
    r"explain\b(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:analyze\b|\(\s*(?:analyze|format)\b[^()]*\))?",
    re.IGNORECASE | re.DOTALL,
)


class NotAQuery(ValueError):
    """SQL that isn't exactly one statement that only reads."""


class QueryTookTooLong(Exception):
    """A query was not done in the time that it was given, and was stopped."""


def open_tables(
    layout: LakeLayout, customer: str, tables: Sequence[TableContract] = CUSTOMER_TABLES
) -> dict[str, DeltaTable | None]:
    """The customer's tables in contract order; None for one that has not been made yet."""

    def opened(table: TableContract) -> DeltaTable | None:
        return open_existing(customer, table.name, layout.uri(table, customer))

    with ThreadPoolExecutor(len(tables)) as pool:
        return dict(zip([table.name for table in tables], pool.map(opened, tables), strict=True))


def customer_sql(layout: LakeLayout, customer: str) -> "duckdb.DuckDBPyConnection":
    """A locked session over the customer's tables at their current versions.

    A table that has not been made yet is there too, empty. What is shared between customers is not.
    """
    return sql_over(open_tables(layout, customer), customer)


def sql_over(opened: Mapping[str, DeltaTable | None], customer: str) -> "duckdb.DuckDBPyConnection":
    """The same, over what `open_tables` has opened; of a shared table the customer's row alone."""
    datasets = {}
    for name, one in opened.items():
        datasets[name] = dataset_of(table_named(name), one)
        if table_named(name).shared:
            datasets[name] = datasets[name].filter(pyarrow.dataset.field("customer") == customer)
    return sandbox_of(datasets)


def sandbox_of(datasets: Mapping[str, Any]) -> "duckdb.DuckDBPyConnection":
    """A locked session in which the given pyarrow datasets are the only tables."""
    import duckdb

    session = duckdb.connect(":memory:", config=_CLOSED)
    for name, dataset in datasets.items():
        session.register(name, dataset)
    for statement in (*DUCKDB_MACROS, *_LOCK):
        session.execute(statement)
    return session


def dataset_of(table: TableContract, opened: DeltaTable | None) -> Any:
    """The table as a pyarrow dataset; an empty one with the contract's types without a table.

    Columns that a table of older code lacks are null.
    """
    if opened is None:
        schema = pa.schema(Schema.from_json(table.schema.json()).to_arrow())
        return pyarrow.dataset.dataset(schema.empty_table())
    stored = opened.to_pyarrow_dataset()
    lacking = new_fields(opened, table)
    return stored.replace_schema(pa.schema([*stored.schema, *lacking])) if lacking else stored


def query_within(
    session: "duckdb.DuckDBPyConnection", sql: str, seconds: float, most: int | None = None
) -> pa.Table:
    """The same as `query`, stopped after so many seconds, or by a Ctrl-C, which DuckDB itself does
    not hear while it hands rows over. Raises QueryTookTooLong besides."""
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(query, session, sql, most)
        try:
            is_done = bool(wait([found], seconds).done)
        finally:
            while not found.done():
                session.interrupt()  # before the query has begun, it has no effect
                wait([found], 0.1)
    if not is_done:
        raise QueryTookTooLong
    return found.result()


def query(session: "duckdb.DuckDBPyConnection", sql: str, most: int | None = None) -> pa.Table:
    """The rows, `most` at most, of one SELECT (or WITH, FROM, DESCRIBE, SHOW, EXPLAIN).

    Raises NotAQuery and duckdb.Error. What is out of reach is so by the lock alone; refusing other
    statements only says it in better words.
    """
    import duckdb

    statements = session.extract_statements(sql)
    explained = [one.type for one in statements] == [duckdb.StatementType.EXPLAIN]
    if explained:  # with ANALYZE it is run, so it has to be what may be run by itself
        statements = session.extract_statements(_EXPLAIN.sub("", statements[0].query, count=1))
    if [one.type for one in statements] != [duckdb.StatementType.SELECT]:
        kinds = ", ".join(one.type.name for one in statements) or "nothing"
        is_pivot = kinds == "MULTI" and "pivot" in statements[0].query.lower()
        raise NotAQuery(
            f"One SELECT is run here, and this is {'EXPLAIN of ' if explained else ''}{kinds}. "
            f"Tables can only be read.{_ONE_PIVOT if is_pivot else ''}"
        )
    rows = session.sql(_without_end(sql))
    return (rows if most is None else rows.limit(most)).to_arrow_table()


def _without_end(sql: str) -> str:
    """One statement without its semicolon, after which DuckDB's relations take no comment."""
    import duckdb

    text = sql.encode()
    code = [place for place, kind in duckdb.tokenize(sql) if kind != duckdb.token_type.comment]
    while code and text[code[-1] :].startswith(b";"):
        text = text[: code.pop()]
    return text.decode()


def condition(text: str) -> str:
    """A WHERE clause for what must be one expression, and can't end the query that it is put into.

    The new line ends a comment that it may end in. Raises NotAQuery and duckdb.Error.
    """
    import duckdb

    if not text.strip():
        raise NotAQuery("The condition is empty.")
    duckdb.SQLExpression(text)
    return f"WHERE ({text}\n)"


def in_reach(error: Exception) -> str:
    """The error without advice that nobody can follow here, and with what is here instead."""
    told, cut = _HOW_TO_LOAD.subn("", str(error))
    return told + (_INSTEAD if cut else "")
