"""Kafka's messages as envelope rows in Arrow, with as little Python for each message as possible.

Belongs here: the translation. Does not: which messages belong to a range (`kafka_reading`).
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from operator import methodcaller
from typing import Any, Final

import pyarrow as pa
from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME, Message

from assess_assets.sources.ranges import ENVELOPE_ARROW, SourceRange

BATCH_BYTES: Final = 8 * 1024 * 1024
_TIMESTAMP_TYPES: Final = {
    TIMESTAMP_CREATE_TIME: "create_time",
    TIMESTAMP_LOG_APPEND_TIME: "log_append_time",
}
BROKEN_HEADERS: Final = "a name among the message's headers is not UTF-8: none of them can be read"
_HEADERS: Final = ENVELOPE_ARROW.field("headers").type
_LAST_TIMESTAMP_MS: Final = 253_402_300_799_999  # the year 9999, where engines' timestamps end


def to_batches(claim: SourceRange, messages: Sequence[Message]) -> Iterator[pa.RecordBatch]:
    """Arrow batches bounded by bytes too: messages can be large."""
    first, size = 0, 0
    for index, message in enumerate(messages):
        size += len(message)
        if size > BATCH_BYTES and index > first:
            yield _batch(claim, messages[first:index])
            first, size = index, len(message)
    yield _batch(claim, messages[first:])


def _batch(claim: SourceRange, messages: Sequence[Message]) -> pa.RecordBatch:
    count = len(messages)
    times = [message.timestamp() for message in messages]
    headers, defects = _headers(messages)
    columns = [
        pa.repeat(pa.scalar(claim.source, pa.string()), count),
        pa.repeat(pa.scalar(claim.partition, pa.int32()), count),
        pa.array([message.offset() for message in messages], pa.int64()),
        pa.array([_time(*time) for time in times], pa.int64()),
        _binary([message.key() for message in messages]),
        _binary([message.value() for message in messages]),
        pa.array(defects, pa.string()) if any(defects) else pa.nulls(count, pa.string()),
        pa.array(map(_pairs, headers), _HEADERS, size=count)
        if any(headers)
        else pa.nulls(count, _HEADERS),
        pa.array([_TIMESTAMP_TYPES.get(kind) for kind, _ in times], pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=ENVELOPE_ARROW)


def _binary(values: list[bytes | None]) -> pa.Array:
    """The values in one buffer, joined at once: Arrow's builder copies them again as it grows."""
    present = [value for value in values if value is not None]
    if not present:
        return pa.nulls(len(values), pa.binary())
    if len(present) < len(values):
        return pa.array(values, pa.binary())
    joined = b"".join(present)
    # In memory of Arrow's: to let go of a buffer of Python's, a thread of the engine needs the GIL.
    data = pa.allocate_buffer(len(joined))
    pa.FixedSizeBufferWriter(data).write(joined)
    ends = pa.array(accumulate(map(len, present), initial=0), pa.int32(), size=len(values) + 1)
    return pa.BinaryArray.from_buffers(pa.binary(), len(values), [None, ends.buffers()[1], data])


def _time(kind: int, milliseconds: int) -> int | None:
    """A producer may write any number; one that is no time that a table can hold becomes null."""
    is_time = kind in _TIMESTAMP_TYPES and 0 <= milliseconds <= _LAST_TIMESTAMP_MS
    return milliseconds if is_time else None


# For a name that isn't UTF-8 the client (2.16.1) gives a list with a hole, which ends Python when
# it is touched, and sets an error, by which it is noticed. But not by `message.headers()` in a
# loop, as Python 3.11 shortens a call that is made often; nor if it is asked again.
_asked_once = methodcaller("headers")


def _headers(messages: Sequence[Message]) -> tuple[list[Any], list[str | None]]:
    """Each message's headers, and what is wrong with them: of a message that has one whose name
    isn't UTF-8, the client gives none.
    """
    headers, defects = [], []
    for message in messages:
        try:
            found, defect = _asked_once(message), None
        except (SystemError, UnicodeError):  # the first, in confluent-kafka 2.16.1
            found, defect = None, BROKEN_HEADERS
        headers.append(found)
        defects.append(defect)
    return headers, defects


def _pairs(headers: Any) -> list[dict[str, Any]] | None:
    """In the message's order; a name may come more than once."""
    if not headers:
        return None
    pairs = headers.items() if isinstance(headers, dict) else headers
    return [{"key": key, "value": value} for key, value in pairs]
