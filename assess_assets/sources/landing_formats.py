"""What the bytes of a landed file are, lines or an array or values, and the records they hold.

Belongs here: the one iterator of records that counting a file and reading it share. Does not:
files and ranges (`landing_files`, `landing`).
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final, Literal, NamedTuple

from assess_assets.sources.landing_content import (
    DEFAULT_LIMITS,
    GZIP_MAGIC,
    BrokenContent,
    Limits,
    peek,
    unpack,
)
from assess_assets.sources.landing_elements import (
    Record,
    array_elements,
    bounded,
    end_of_value,
    not_json,
    sequence_values,
    spool,
)

Format = Literal["lines", "array", "values", "blank", "not JSON"]

SNIFF_BYTES: Final = 1024 * 1024
BOM: Final = b"\xef\xbb\xbf"
_BLANK: Final = b" \t\r\n"
# Printers that spread an object over lines leave its brace alone on the first of them.
_OBJECT_ON_A_LINE: Final = re.compile(rb'^\{[ \t]*"', re.MULTILINE)


class Content(NamedTuple):
    """A file's records; whether they are lines of a plain file, and where the first one starts."""

    records: Iterator[Record]
    can_be_split: bool
    start_byte: int


def read_content(blocks: Iterator[bytes], limits: Limits = DEFAULT_LIMITS) -> Content:
    """Recognize what a file's blocks hold, by the bytes and never by the name, and read it."""
    prefix, whole, blocks = peek(blocks, SNIFF_BYTES)
    is_packed = prefix.startswith(GZIP_MAGIC)
    if is_packed:
        prefix, whole, blocks = peek(unpack(blocks, limits.unpacked_bytes), SNIFF_BYTES)
    start = 0
    if prefix.startswith(BOM):
        prefix, start = prefix[len(BOM) :], len(BOM)
        blocks = _without_bom(blocks)
    form = decide_format(prefix, whole)
    if form == "lines" and not is_packed:
        return Content(read_lines(blocks, start, limits.line_bytes), True, start)
    records = _read_whole(form, prefix, blocks, limits)
    return Content(_at_most(records, limits.whole_records), False, start)


def decide_format(prefix: bytes, whole: bool) -> Format:
    """The format of a file that starts with `prefix` (`whole`: and has no more bytes).

    In doubt it is lines, the only format where a broken spot costs one message and no more.
    """
    body = prefix.lstrip(_BLANK)
    if not body:
        return "blank" if whole else "lines"
    first, newline, rest = body.partition(b"\n")
    first_line_is_known = bool(newline) or whole
    is_alone = whole and not rest.strip(_BLANK)
    is_array = body.startswith(b"[")
    # A complete first line means lines, except that "[...]" alone is an array on one line.
    if first_line_is_known and _is_value(first) and not (is_array and is_alone):
        return "lines"
    if is_array:
        return "array"
    is_object = body.startswith(b"{")
    end = end_of_value(body, 0, len(body)) if is_object else None
    has_objects_on_lines = _OBJECT_ON_A_LINE.search(rest) is not None
    # A value that ends somewhere below its first line, or right before another one.
    if end is not None and (end > len(first) or not has_objects_on_lines):
        return "values"
    # The first line is broken or too long to be seen whole; one broken line says nothing.
    if not first_line_is_known or has_objects_on_lines:
        return "lines"
    return "values" if is_object else "not JSON"


def read_lines(blocks: Iterator[bytes], position: int, max_bytes: int) -> Iterator[Record]:
    """One record per line, without its line end; blank lines too, as nothing may vanish.

    `position` is where the blocks start in the file. Of a line longer than `max_bytes`, the
    beginning is kept and the rest only counted.
    """
    head, head_size = bytearray(), 0  # of a line whose end isn't here yet
    try:
        for block in blocks:
            *ended, tail = block.split(b"\n")
            for line in ended:
                size = len(line)
                if head_size:
                    size += head_size
                    line = bytes(head) + line[: max(0, max_bytes + 1 - len(head))]
                    head.clear()
                    head_size = 0
                position += size + 1
                if size <= max_bytes:
                    yield Record(line.removesuffix(b"\r"), None, position)
                else:
                    yield bounded(line, size, max_bytes, end_byte=position)
            head += tail[: max(0, max_bytes + 1 - len(head))]
            head_size += len(tail)
    except BrokenContent as broken:
        yield Record(bytes(head[:max_bytes]), str(broken), position + head_size)
        return
    if head_size:
        yield bounded(bytes(head), head_size, max_bytes, end_byte=position + head_size)


def _read_whole(
    form: Format, prefix: bytes, blocks: Iterator[bytes], limits: Limits
) -> Iterator[Record]:
    if form == "lines":
        yield from read_lines(blocks, 0, limits.line_bytes)
    elif form == "array":
        yield from array_elements(*spool(blocks), limits.line_bytes)
    elif form == "values":
        yield from sequence_values(*spool(blocks), limits.line_bytes)
    elif form == "blank":
        yield not_json(prefix, _why_it_breaks_off(blocks) or "the file is empty")
    else:
        seen = len(prefix)
        yield not_json(prefix, f"nothing in the file is JSON, in its first {seen} bytes")


def _at_most(records: Iterator[Record], limit: int) -> Iterator[Record]:
    yield from islice(records, limit)
    beyond = next(records, None)
    if beyond is not None:
        yield Record(
            beyond.value, f"the file has more than {limit} messages and can't be split: not read on"
        )


def _why_it_breaks_off(blocks: Iterator[bytes]) -> str | None:
    try:
        for _ in blocks:
            pass
    except BrokenContent as broken:
        return str(broken)
    return None


def _without_bom(blocks: Iterator[bytes]) -> Iterator[bytes]:
    yield next(blocks)[len(BOM) :]  # `peek` hands out the whole prefix as the first block
    yield from blocks


def _is_value(line: bytes) -> bool:
    text = line.strip(_BLANK)
    return bool(text) and end_of_value(text, 0, len(text)) == len(text)
