"""One customer in one row, for the operator."""

from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from assess_assets.tables.fates import FATES


def overview(
    customer: str,
    raw_messages: DataFrame,
    upstream: Mapping[str, DataFrame],
    source_ranges: DataFrame,
    builds: DataFrame,
) -> DataFrame:
    """One row: messages by fate, attempts, exams, the last message and the last run with news.

    `upstream` has message_ledger, assessments and exams.
    """
    fates = upstream["message_ledger"].agg(
        F.count(F.lit(1)).alias("messages"),
        *(F.count_if(F.col("fate") == fate).alias(_PLURALS.get(fate, fate)) for fate in FATES),
    )
    attempts = upstream["assessments"].agg(F.count(F.lit(1)).alias("attempts"))
    exams = upstream["exams"].agg(F.count(F.lit(1)).alias("exams"))
    last_message = raw_messages.agg(F.max("timestamp").alias("last_message_at"))
    claims = source_ranges.select("claimed_at").unionAll(builds.select("claimed_at"))
    last_run = claims.agg(F.max("claimed_at").alias("last_run_at"))
    row = fates.crossJoin(attempts).crossJoin(exams).crossJoin(last_message).crossJoin(last_run)
    return row.withColumn("customer", F.lit(customer))


_PLURALS: Mapping[str, str] = {"duplicate": "duplicates", "conflict": "conflicts"}
