"""A customer's topic as a PySpark DataSource: claimed ranges in, envelope rows out.

Belongs here: the translation to Spark's partitions. Does not: reading a range (`kafka_reading`), or
deciding what is claimed (`kafka`).
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pyarrow as pa
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.types import StructType

from assess_assets.sources.kafka_config import KafkaConfig
from assess_assets.sources.kafka_reading import read_batches
from assess_assets.sources.ranges import (
    ENVELOPE,
    SourceError,
    SourceRange,
    grouped,
    ranges_from_json,
    ranges_to_json,
)

SPLIT_OFFSETS: Final = 100_000


class KafkaDataSource(DataSource):
    """`spark.read.format("assess_kafka")`: the messages of claimed ranges of a topic.

    Options: `servers`; `file`, the path of further client settings, which every executor must see
    (their content is in no option, as options show in plans); `customer`; `ranges`, what
    `ranges_to_json` wrote; `readers`, how many partitions there may be (0 or none: one per piece).
    """

    @classmethod
    def name(cls) -> str:
        """The format's name."""
        return "assess_kafka"

    def schema(self) -> StructType:
        """The envelope."""
        return ENVELOPE

    def reader(self, schema: StructType) -> "KafkaReader":
        """The reader of the ranges that the options name."""
        try:
            servers, customer = self.options["servers"], self.options["customer"]
            ranges = self.options["ranges"]
        except KeyError as error:
            raise SourceError(
                f"assess_kafka: the option {error} is missing. Give `servers`, `customer`, and "
                "`ranges`, the customer's claimed ranges as a JSON list."
            ) from None
        config = KafkaConfig(servers, self.options.get("file") or None)
        readers = int(self.options.get("readers", 0))
        return KafkaReader(config, customer, ranges_from_json(ranges), readers)


class KafkaReader(DataSourceReader):
    """One Spark partition per range, or several if it is large, or as many as are allowed."""

    def __init__(
        self, config: KafkaConfig, customer: str, ranges: list[SourceRange], readers: int = 0
    ) -> None:
        self._config = config
        self._readers = readers
        self._customer = customer
        self._ranges = [claim for claim in ranges if claim.kind == "read" and claim.messages]

    def partitions(self) -> list[InputPartition]:
        """The ranges to read; without any, Spark makes up one partition that has no range."""
        pieces = [piece for claim in self._ranges for piece in split(claim, SPLIT_OFFSETS)]
        groups = grouped(pieces, self._readers)
        return [InputPartition(ranges_to_json(group)) for group in groups]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """The messages of the partition's ranges."""
        for claim in ranges_from_json(partition.value) if partition.value is not None else ():
            yield from read_batches(self._config, self._customer, claim)


def split(claim: SourceRange, offsets: int) -> list[SourceRange]:
    """The range in pieces of at most `offsets`, to be read side by side."""
    starts = range(claim.start_offset, claim.end_offset, offsets)
    return [
        replace(claim, start_offset=start, end_offset=min(start + offsets, claim.end_offset))
        for start in starts
    ]
