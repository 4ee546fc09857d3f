"""A customer's sources together: what is new at them, and a claimed batch as rows of raw_messages.

Belongs here: what takes landing folder and topic together. Does not: either of them alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from assess_assets.sources.kafka import current_source, find_new_kafka_ranges
from assess_assets.sources.kafka_config import KafkaConfig
from assess_assets.sources.kafka_errors import KafkaNotConfigured
from assess_assets.sources.kafka_topic import topic_of
from assess_assets.sources.landing import find_new_ranges
from assess_assets.sources.ranges import SourceRange, ranges_to_json

READERS = "spark.assess.readers"  # a setting of the session


@dataclass(frozen=True)
class Sources:
    """Where one customer's messages come from. Without `kafka` there is only the folder."""

    customer: str
    folder: Path
    kafka: KafkaConfig | None = None


def find_new(
    sources: Sources, claimed: Sequence[SourceRange], max_messages: int
) -> list[SourceRange]:
    """The ranges that the next batch claims: landed files first, then the topic."""
    found = find_new_ranges(sources.folder, claimed, max_messages)
    left = max_messages - sum(claim.messages for claim in found)
    if sources.kafka is not None and left > 0:
        topic = topic_of(sources.customer)
        found += find_new_kafka_ranges(sources.customer, topic, claimed, left, sources.kafka)
    return found


def left_out(sources: Sources, claimed: Sequence[SourceRange]) -> str | None:
    """That nothing new of the customer's topic is read, if it was read before and not given up."""
    topic = topic_of(sources.customer)
    _, last = current_source(topic, None, claimed)
    if sources.kafka is not None or all(claim.kind == "lost" for claim in last.values()):
        return None
    return (
        f"Customer {sources.customer}: topic {topic} was read before, and ASSESS_KAFKA is not set: "
        "nothing new of it is read. Set it and run again."
    )


def read_batch(
    spark: SparkSession,
    sources: Sources,
    ranges: Sequence[SourceRange],
    batch: int,
    claimed_at: datetime,
) -> DataFrame:
    """One row per message. The same claim gives the same rows, whenever it is read."""
    to_read = [claim for claim in ranges if claim.kind == "read"]
    of_files = [claim for claim in to_read if claim.is_of_a_file]
    of_topics = [claim for claim in to_read if not claim.is_of_a_file]
    messages = _landed(spark, sources, of_files)
    if of_topics:
        published = _published(spark, sources, of_topics)
        messages = messages.unionAll(published) if of_files else published
    claimed = F.timestamp_micros(F.lit(round(claimed_at.timestamp() * 1_000_000)))
    return messages.select(
        "source",
        "partition",
        "offset",
        F.timestamp_millis("timestamp_ms").alias("timestamp"),
        "timestamp_type",
        "key",
        "value",
        "headers",
        "source_defect",
        F.lit(batch).cast("bigint").alias("batch"),
        claimed.alias("ingested_at"),
    )


def _landed(spark: SparkSession, sources: Sources, ranges: list[SourceRange]) -> DataFrame:
    source = spark.read.format("assess_landing").option("folder", str(sources.folder))
    source = source.option("readers", _readers(spark))
    return source.option("ranges", ranges_to_json(ranges)).load()


def _published(spark: SparkSession, sources: Sources, ranges: list[SourceRange]) -> DataFrame:
    if sources.kafka is None:
        raise KafkaNotConfigured(
            f"Customer {sources.customer}: messages of topic {ranges[0].source} are claimed and "
            "not read yet, and no broker is named. Set ASSESS_KAFKA and run again."
        )
    return (
        spark.read.format("assess_kafka")
        .option("servers", sources.kafka.servers)
        .option("file", sources.kafka.file or "")
        .option("customer", sources.customer)
        .option("readers", _readers(spark))
        .option("ranges", ranges_to_json(ranges))
        .load()
    )


def _readers(spark: SparkSession) -> str:
    """How many partitions a source may have, says the engine; 0 for no limit."""
    return str(spark.conf.get(READERS, "0"))
