"""Columns that many tables share: where a row came from, and which build and batch made it.

Belongs here: columns that mean the same in every table. A table's own columns stay in its module.
"""

from pyspark.sql.types import IntegerType, LongType, StringType

from assess_assets.tables.contract import Column


def coordinates(upstream: str, offset: str = "offset") -> tuple[Column, ...]:
    """The source coordinates of a row's message, carried from `upstream`."""
    return (
        Column(
            "source",
            StringType(),
            "Where the message was read: a file below the customer's landing folder, or a topic.",
            (f"{upstream}.source",),
        ),
        Column(
            "partition",
            IntegerType(),
            "Partition of the source: Kafka's; 0 for a file.",
            (f"{upstream}.partition",),
        ),
        Column(
            "offset",
            LongType(),
            "Offset in its partition: Kafka's; the record's index in a file, from 0.",
            (f"{upstream}.{offset}",),
        ),
    )


BUILD = Column("build", LongType(), "Number of the build that wrote the row (see `builds`).")


def batch(upstream: str) -> Column:
    return Column(
        "batch",
        LongType(),
        "Number of the batch that the row's message was claimed in (see `source_ranges`).",
        (f"{upstream}.batch",),
    )


MADE_FROM = (
    Column("build", LongType(), "The build of the attempts that this row was made from."),
    Column("batch", LongType(), "The last batch of attempts that this row was made from."),
)
