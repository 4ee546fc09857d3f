"""The messages of a claimed batch, as rows of raw_messages, whatever kind of source they are at."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from assess_assets.sources.ranges import SourceRange, ranges_to_json


def read_batch(
    spark: SparkSession,
    folder: Path,
    ranges: Sequence[SourceRange],
    batch: int,
    claimed_at: datetime,
) -> DataFrame:
    """One row per message. The same claim gives the same rows, whenever it is read."""
    to_read = [claim for claim in ranges if claim.kind == "read"]
    messages = (
        spark.read.format("assess_landing")
        .option("folder", str(folder))
        .option("ranges", ranges_to_json(to_read))
        .load()
    )
    claimed = F.timestamp_micros(F.lit(round(claimed_at.timestamp() * 1_000_000)))
    return messages.select(
        "source",
        "partition",
        "offset",
        F.timestamp_millis("timestamp_ms").alias("timestamp"),
        "key",
        "value",
        "source_defect",
        F.lit(batch).cast("bigint").alias("batch"),
        claimed.alias("ingested_at"),
    )
