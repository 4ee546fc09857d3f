"""The elements of a JSON array, or of a sequence of JSON values, that is read whole.

Belongs here: taking raw elements out of content, as many as a broken one still has. Does not:
lines (`landing_formats`), or judging an element (`messages.py`).
"""

import json
import mmap
import re
import tempfile
from collections.abc import Generator, Iterator
from typing import Final, NamedTuple

import msgspec

from assess_assets.sources.landing_content import BrokenContent

NOT_JSON_BYTES: Final = 1024 * 1024  # what is kept of a file that has no JSON at all
FIRST_WINDOW_BYTES: Final = 16 * 1024

# Only where a value ends matters here. Numbers stay text, as Python refuses to convert integers of
# more than 4300 digits, and a raw tab in a string is for the validator to judge.
_DECODER: Final = json.JSONDecoder(parse_int=str, parse_float=str, strict=False)
_BLANKS: Final = re.compile(rb"[ \t\r\n]*")
_BRACKETS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?+|[\[\]{}]', re.DOTALL)  # and whole strings


class Record(NamedTuple):
    """One record of a file: its bytes, and what was wrong with the file there, normally nothing."""

    value: bytes
    defect: str | None = None
    end_byte: int = 0  # where the next line starts; of lines only


def spool(blocks: Iterator[bytes]) -> tuple[mmap.mmap, str | None]:
    """All blocks in an unnamed temporary file, mapped, and why they broke off if they did.

    The landed file itself isn't mapped: if somebody cut it off meanwhile, reading would kill the
    process. There must be at least one byte.
    """
    broken: str | None = None
    with tempfile.TemporaryFile() as file:
        try:
            for block in blocks:
                file.write(block)
        except BrokenContent as error:
            broken = str(error)
        file.flush()
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), broken


def array_elements(data: mmap.mmap | bytes, broken: str | None, max_bytes: int) -> Iterator[Record]:
    """The elements of the array in `data`; a broken one is salvaged element by element."""
    if broken is None:
        try:
            elements = msgspec.json.decode(data, type=list[msgspec.Raw])
        except (msgspec.DecodeError, RecursionError):
            elements = None
        if elements is not None:
            for element in elements:
                view = memoryview(element)
                yield bounded(bytes(view[: max_bytes + 1]), len(view), max_bytes, "element")
            return
    yield from _salvage(data, True, broken, max_bytes)


def sequence_values(
    data: mmap.mmap | bytes, broken: str | None, max_bytes: int
) -> Iterator[Record]:
    """The JSON values that follow each other in `data`, however they are spread over lines."""
    yield from _salvage(data, False, broken, max_bytes)


def bounded(
    value: bytes, size: int, max_bytes: int, what: str = "line", end_byte: int = 0
) -> Record:
    """A record of `value`, which is `size` bytes long in the file, cut off if it is too long."""
    if size <= max_bytes:
        return Record(value, None, end_byte)
    defect = f"the {what} has {size} bytes; only its first {max_bytes} are kept"
    return Record(value[:max_bytes], defect, end_byte)


def not_json(prefix: bytes, why: str) -> Record:
    """The one record of a file that has no JSON: the beginning of its bytes, and why not."""
    return Record(prefix[:NOT_JSON_BYTES], why)


def _salvage(
    data: mmap.mmap | bytes, in_array: bool, broken: str | None, max_bytes: int
) -> Iterator[Record]:
    """Every element up to the first spot that isn't JSON; the rest is one record that says so."""
    found, at, problem = yield from _sound_elements(data, in_array, max_bytes)
    if problem is not None:
        problem = f"{problem}, at byte {at} of {len(data)}"
    why = "; ".join(part for part in (broken, problem) if part is not None)
    if not why:
        return
    if not found:
        yield not_json(bytes(data[:NOT_JSON_BYTES]), f"nothing in the file is JSON: {why}")
        return
    why = f"{why}; this is the rest after {found} readable messages"
    if len(data) - at > max_bytes:
        why = f"{why}, the first {max_bytes} of its {len(data) - at} bytes"
    yield Record(bytes(data[at : at + max_bytes]), why)


def _sound_elements(
    data: mmap.mmap | bytes, in_array: bool, max_bytes: int
) -> Generator[Record, None, tuple[int, int, str | None]]:
    """The elements; returns how many, the byte where they end, and what is wrong there, if so."""
    found = 0
    at = _skip_blanks(data, 0) + (1 if in_array else 0)  # the bracket is known to be there
    while True:
        at = _skip_blanks(data, at)
        if at == len(data):
            return found, at, "the array is cut off" if in_array else None
        start = at
        if in_array and data[at : at + 1] == b"]":
            at = _skip_blanks(data, at + 1)
            return found, at, "something follows the end of the array" if at < len(data) else None
        if in_array and found:
            if data[at : at + 1] != b",":
                return found, at, "a comma or the end of the array is missing"
            start = _skip_blanks(data, at + 1)
        end = end_of_value(data, start, max_bytes)
        if end is None:
            return found, start, "what follows is cut off, too long or not JSON"
        yield Record(data[start:end])
        found, at = found + 1, end


def end_of_value(data: mmap.mmap | bytes, start: int, max_bytes: int) -> int | None:
    """The byte after the JSON value that starts at `start`; None if there is no whole value.

    Only a window is decoded, widened while the value doesn't end in it. Bytes that aren't UTF-8
    become surrogates and come out again as they were, so that counting bytes stays right.
    """
    size = FIRST_WINDOW_BYTES
    while True:
        window = data[start : start + min(size, max_bytes)]
        text = window.decode("utf-8", "surrogateescape")
        is_rest = start + len(window) == len(data)
        try:
            _, end = _DECODER.raw_decode(text)
            if end < len(text) or is_rest:  # a number may go on beyond the window
                return start + len(text[:end].encode("utf-8", "surrogateescape"))
        except RecursionError:  # too deep for the decoder, and perhaps nothing else
            return _end_by_brackets(data, start, max_bytes)
        except ValueError:
            pass
        if is_rest or size >= max_bytes:
            return None
        size *= 4


def _end_by_brackets(data: mmap.mmap | bytes, start: int, max_bytes: int) -> int | None:
    """The byte after the last bracket of the array or object that starts at `start`.

    What is between is for the validator, which refuses it for its depth; what follows is saved.
    """
    depth = 0
    for token in _BRACKETS.finditer(data, start, min(start + max_bytes, len(data))):
        sign = token[0]
        if sign in b"[{":
            depth += 1
        elif sign in b"]}":
            depth -= 1
            if depth == 0:
                return token.end()
    return None


def _skip_blanks(data: mmap.mmap | bytes, start: int) -> int:
    match = _BLANKS.match(data, start)
    return match.end() if match else start
