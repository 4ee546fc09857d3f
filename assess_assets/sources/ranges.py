"""A range of one source's records, the envelope its records are read into, and the sources' errors.

Belongs here: what every kind of source shares. Does not: how any one of them is scanned or read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from shlex import quote
from typing import Final, Literal

import msgspec
import pyarrow as pa
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
)

RangeKind = Literal["read", "lost", "refused"]


class SourceError(Exception):
    """A source can't be claimed or read; the message says what an operator does next."""


class LandedFileChanged(SourceError):
    """A landed file no longer has the content that was claimed."""


class LandedFileMissing(SourceError):
    """A landed file is gone although some of its messages have not been read."""


class LandedFileUnreadable(SourceError):
    """A landed file exists and can't be opened."""


class NotALandingFile(SourceError):
    """What should be landed isn't a file, or its name isn't one the landing folder takes."""


class AlreadyLanded(SourceError):
    """The same content has landed before, under whatever name."""


class LandingNameTaken(SourceError):
    """The name in the landing folder belongs to other content."""


@dataclass(frozen=True)
class SourceRange:
    """Records [start_offset, end_offset) of one source, as one claim pins them."""

    source: str  # file name below the customer's landing folder, or topic
    partition: int  # Kafka's; 0 for a file
    start_offset: int
    end_offset: int
    start_byte: int | None  # where the lines lie in a plain file; None: the file is read whole
    end_byte: int | None
    identity: str  # SHA-256 of the file in hex, or the topic's id
    size_bytes: int | None  # None for a topic
    source_end_offset: int  # the source's own end when this was claimed
    source_timestamp_ms: int | None  # the file's modification time: its messages' timestamp
    kind: RangeKind
    note: str | None

    def __post_init__(self) -> None:
        if not 0 <= self.start_offset <= self.end_offset:
            raise ValueError(f"not a range of offsets: {self.start_offset} to {self.end_offset}")
        if (self.start_byte is None) != (self.end_byte is None):
            raise ValueError("start_byte and end_byte are both given or both None")

    @property
    def messages(self) -> int:
        """How many records the range holds; of a topic, how many offsets: at most so many."""
        return self.end_offset - self.start_offset

    @property
    def is_last(self) -> bool:
        """Whether nothing of the source, as it was when claimed, lies beyond this range."""
        return self.end_offset >= self.source_end_offset

    @property
    def is_of_a_file(self) -> bool:
        """Whether this is a landed file's range; a topic has no size."""
        return self.size_bytes is not None


def ranges_to_json(ranges: list[SourceRange]) -> str:
    """Several ranges as one JSON list: the `ranges` option of a DataSource."""
    return msgspec.json.encode(ranges).decode()


def ranges_from_json(text: str) -> list[SourceRange]:
    """The ranges that `ranges_to_json` wrote."""
    return msgspec.json.decode(text, type=list[SourceRange])


def grouped(ranges: list[SourceRange], most: int) -> list[list[SourceRange]]:
    """The ranges in at most `most` groups (0: each on its own) of about as many ranges."""
    if not most:
        return [[claim] for claim in ranges]
    return [ranges[first::most] for first in range(min(most, len(ranges)))]


def lost_rest(last: SourceRange, note: str, unread: Sequence[SourceRange] = ()) -> SourceRange:
    """What was not read of a source, up to its end, as a range that an operator accepts as lost.

    `last` is the claim that reaches furthest; `unread`, what was claimed and has not landed.
    """
    return replace(
        last,
        start_offset=first_unread(last, unread),
        end_offset=max(last.end_offset, last.source_end_offset),
        start_byte=None,
        end_byte=None,
        kind="lost",
        note=note,
    )


def first_unread(last: SourceRange, unread: Sequence[SourceRange]) -> int:
    """Where reading would go on: at a claimed range that was not landed, or after the last one."""
    starts = [
        claim.start_offset
        for claim in unread
        if (claim.source, claim.partition, claim.identity)
        == (last.source, last.partition, last.identity)
        and claim.kind == "read"
        and claim.messages
    ]
    return min(starts, default=last.end_offset)


def accept_command(customer: str, source: str) -> str:
    """What an operator runs to accept a loss."""
    return f"assess accept-loss --customer {customer} --source {quote(source)} --reason WHY"


def without(claim: SourceRange, lost: Sequence[SourceRange]) -> list[SourceRange]:
    """What is left of a range to read when some of it was accepted as lost since.

    Of a file nothing is left of a range, or all: its loss begins where one of its ranges does.
    """
    left = [claim]
    for gone in lost:
        if (gone.source, gone.partition, gone.identity) == (
            claim.source,
            claim.partition,
            claim.identity,
        ):
            left = [piece for each in left for piece in _cut(each, gone)]
    return left


def _cut(claim: SourceRange, gone: SourceRange) -> list[SourceRange]:
    if gone.end_offset <= claim.start_offset or gone.start_offset >= claim.end_offset:
        return [claim]
    spans = (
        (claim.start_offset, gone.start_offset),
        (gone.end_offset, claim.end_offset),
    )
    return [
        replace(claim, start_offset=start, end_offset=end) for start, end in spans if start < end
    ]


def landed_contents(claimed: Sequence[SourceRange]) -> dict[str, str]:
    """SHA-256 and name of files that were read; not of given up ones: a copy may be found."""
    lost = {(claim.source, claim.identity) for claim in claimed if claim.kind == "lost"}
    return {
        claim.identity: claim.source
        for claim in claimed
        if claim.kind == "read" and (claim.source, claim.identity) not in lost
    }


HEADERS: Final = ArrayType(
    StructType([StructField("key", StringType()), StructField("value", BinaryType())])
)

# The envelope, once for each of the two type systems it passes; a test proves that they agree.
# The time is a number because Sail and Spark want different Arrow types for a timestamp here.
ENVELOPE: Final = StructType(
    [
        StructField("source", StringType()),
        StructField("partition", IntegerType()),
        StructField("offset", LongType()),
        StructField("timestamp_ms", LongType()),
        StructField("key", BinaryType()),
        StructField("value", BinaryType()),
        StructField("source_defect", StringType()),  # what was wrong while reading; normally null
        StructField("headers", HEADERS),  # Kafka's, in their order
        StructField("timestamp_type", StringType()),  # Kafka's: create_time, log_append_time
    ]
)
# Sail asks for the name `element`, which Arrow's own default isn't.
_ELEMENT: Final = pa.field("element", pa.struct([("key", pa.string()), ("value", pa.binary())]))
ENVELOPE_ARROW: Final = pa.schema(
    [
        ("source", pa.string()),
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("timestamp_ms", pa.int64()),
        ("key", pa.binary()),
        ("value", pa.binary()),
        ("source_defect", pa.string()),
        ("headers", pa.list_(_ELEMENT)),
        ("timestamp_type", pa.string()),
    ]
)
