"""The landing folder as a PySpark DataSource: claimed ranges in, envelope rows out.

Belongs here: the translation to Spark's partitions and Arrow batches. Does not: deciding what is
claimed (`landing`), or what a record is (`landing_formats`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.types import StructType

from assess_assets.sources.landing_elements import Record
from assess_assets.sources.landing_files import read_range
from assess_assets.sources.ranges import (
    ENVELOPE,
    ENVELOPE_ARROW,
    SourceError,
    SourceRange,
    grouped,
    ranges_from_json,
    ranges_to_json,
)

BATCH_ROWS: Final = 1000
BATCH_BYTES: Final = 8 * 1024 * 1024


class LandingDataSource(DataSource):
    """`spark.read.format("assess_landing")`: the records of claimed ranges of landed files.

    Options: `folder`, the customer's landing folder, which every executor must see under this
    path; `ranges`, what `ranges_to_json` wrote; `readers`, how many partitions there may be (0 or
    none: one per range).
    """

    @classmethod
    def name(cls) -> str:
        """The format's name."""
        return "assess_landing"

    def schema(self) -> StructType:
        """The envelope, whatever lies in the files."""
        return ENVELOPE

    def reader(self, schema: StructType) -> "LandingReader":
        """The reader of the ranges that the options name."""
        try:
            folder, ranges = self.options["folder"], self.options["ranges"]
        except KeyError as error:
            raise SourceError(
                f"assess_landing: the option {error} is missing. Give `folder`, a customer's "
                "landing folder, and `ranges`, its claimed ranges as a JSON list."
            ) from None
        readers = int(self.options.get("readers", 0))
        return LandingReader(Path(folder), ranges_from_json(ranges), readers)


class LandingReader(DataSourceReader):
    """One Spark partition per range that has messages, or as many as are allowed."""

    def __init__(self, folder: Path, ranges: list[SourceRange], readers: int = 0) -> None:
        self._folder = folder
        self._readers = readers
        self._ranges = [claim for claim in ranges if claim.kind == "read" and claim.messages]

    def partitions(self) -> list[InputPartition]:
        """The ranges to read; without any, Spark makes up one partition that has no range."""
        groups = grouped(self._ranges, self._readers)
        return [InputPartition(ranges_to_json(group)) for group in groups]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """The ranges' records, in batches bounded by rows and by bytes."""
        for claim in ranges_from_json(partition.value) if partition.value is not None else ():
            yield from read_batches(self._folder, claim)


def read_batches(folder: Path, claim: SourceRange) -> Iterator[pa.RecordBatch]:
    """The envelope rows of one range; raises if they are not exactly the claimed ones."""
    offset, size = claim.start_offset, 0
    records: list[Record] = []
    for record in read_range(folder, claim):
        if records and (len(records) >= BATCH_ROWS or size + len(record.value) > BATCH_BYTES):
            yield _batch(claim, offset, records)
            offset, size, records = offset + len(records), 0, []
        records.append(record)
        size += len(record.value)
    if records:
        yield _batch(claim, offset, records)


def _batch(claim: SourceRange, offset: int, records: list[Record]) -> pa.RecordBatch:
    count = len(records)
    columns = [
        pa.repeat(pa.scalar(claim.source, pa.string()), count),
        pa.repeat(pa.scalar(claim.partition, pa.int32()), count),
        pa.array(range(offset, offset + count), pa.int64()),
        pa.repeat(pa.scalar(claim.source_timestamp_ms, pa.int64()), count),
        pa.nulls(count, pa.binary()),
        pa.array([record.value for record in records], pa.binary()),
        pa.array([record.defect for record in records], pa.string()),
        pa.nulls(count, ENVELOPE_ARROW.field("headers").type),
        pa.nulls(count, pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=ENVELOPE_ARROW)
