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
from assess_assets.sources.kafka_errors import KafkaNotConfigured, NoAnswer
from assess_assets.sources.kafka_topic import Broker, topic_of
from assess_assets.sources.landing import find_new_ranges
from assess_assets.sources.ranges import SourceRange, ranges_to_json

READERS = "spark.assess.readers"  # a setting of the session


@dataclass(frozen=True)
class Sources:
    """Where one customer's messages come from. Without `kafka` there is only the folder.

    `broker`: to ask about the topic, if it was asked about others' already.
    """

    customer: str
    folder: Path
    kafka: KafkaConfig | None = None
    broker: Broker | None = None


@dataclass(frozen=True)
class Found:
    """The ranges that the next batch claims; and what was not looked at, and why."""

    ranges: list[SourceRange]
    left_out: str | None = None


def find_new(sources: Sources, claimed: Sequence[SourceRange], max_messages: int) -> Found:
    """What is new in the landing folder and in the topic, at most `max_messages` in all.

    They take turns, or files that keep coming would keep a topic waiting for ever: if the last
    messages that were claimed are a file's, the topic goes first, and the other has what is left.
    """
    of_files = [claim.is_of_a_file for claim in claimed if claim.kind == "read" and claim.messages]
    topic_first = bool(of_files) and of_files[-1]
    found: list[SourceRange] = []
    told = None
    for is_topic in (topic_first, not topic_first):
        taken = sum(claim.messages for claim in found)
        if taken >= max_messages:
            break
        if is_topic:
            ranges, told = _find_published(sources, claimed, max_messages - taken)
        else:
            ranges = find_new_ranges(sources.folder, claimed, max_messages, taken=taken)
        found += ranges
    return Found(found, told)


def _find_published(
    sources: Sources, claimed: Sequence[SourceRange], most: int
) -> tuple[list[SourceRange], str | None]:
    """What is new in the topic; or nothing, and what is to be told of that."""
    customer, topic = sources.customer, topic_of(sources.customer)
    if sources.kafka is None:
        if not was_published(customer, claimed):
            return [], None
        return [], (
            f"Customer {customer}: topic {topic} was read before, and ASSESS_KAFKA is not set: "
            "nothing new of it is read. Set it and run again."
        )
    try:
        broker = sources.broker or Broker(sources.kafka, customer)
        return find_new_kafka_ranges(customer, topic, claimed, most, broker), None
    except NoAnswer as error:
        if needs_broker(sources.folder, customer, claimed):
            raise
        return [], (
            f"Only files are read, as all of this customer's messages came in files. Whether it "
            f"has a topic by now is not known. {error}"
        )


def needs_broker(folder: Path, customer: str, claimed: Sequence[SourceRange]) -> bool:
    """Whether a customer is not to be run without its topic: it has one, or nothing else."""
    return was_published(customer, claimed) or not folder.is_dir()


def was_published(customer: str, claimed: Sequence[SourceRange]) -> bool:
    """Whether the customer's topic was read before, and not given up."""
    _, last = current_source(topic_of(customer), None, claimed)
    return any(claim.kind != "lost" for claim in last.values())


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
