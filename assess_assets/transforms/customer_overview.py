"""One customer in one row, for the operator."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def overview(
    customer: str,
    raw_messages: DataFrame,
    ledger: DataFrame,
    exams: DataFrame,
    source_ranges: DataFrame,
    builds: DataFrame,
) -> DataFrame:
    """One row: messages by fate, attempts, exams, the last message and the last run with news."""
    fates = ledger.agg(
        F.count(F.lit(1)).alias("messages"),
        *(F.count(F.when(F.col("fate") == fate, 1)).alias(name) for fate, name in _NAMES.items()),
    )
    taken = exams.agg(
        F.coalesce(F.sum("attempts"), F.lit(0)).cast("bigint").alias("attempts"),
        F.count(F.lit(1)).alias("exams"),
    )
    last_message = raw_messages.agg(F.max("timestamp").alias("last_message_at"))
    claims = source_ranges.select("claimed_at").unionAll(builds.select("claimed_at"))
    last_run = claims.agg(F.max("claimed_at").alias("last_run_at"))
    row = fates.crossJoin(taken).crossJoin(last_message).crossJoin(last_run)
    return row.withColumn("customer", F.lit(customer))


_NAMES = {
    "accepted": "accepted",
    "duplicate": "duplicates",
    "conflict": "conflicts",
    "quarantined": "quarantined",
}
