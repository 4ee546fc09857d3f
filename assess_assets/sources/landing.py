"""Which records of a customer's landing folder a run claims next.

Belongs here: the decision, from the files that lie there and the ranges claimed so far. Does not:
storing the claim (`storage/`), reading it (`landing_files`), landing a file (`landing_delivery`).
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from assess_assets.sources.kafka_topic import PREFIX
from assess_assets.sources.landing_content import DEFAULT_LIMITS, Limits, file_blocks
from assess_assets.sources.landing_elements import Record
from assess_assets.sources.landing_files import (
    FileStamp,
    changed,
    gone,
    is_unchanged,
    list_files,
    open_file,
)
from assess_assets.sources.landing_formats import read_content, read_lines
from assess_assets.sources.ranges import SourceRange, landed_contents

SPLIT_BYTES: Final = 32 * 1024 * 1024


class _Piece(NamedTuple):
    start_offset: int
    end_offset: int
    start_byte: int
    end_byte: int


def find_new_ranges(
    folder: Path,
    claimed: Sequence[SourceRange],
    max_messages: int,
    split_bytes: int = SPLIT_BYTES,
    limits: Limits = DEFAULT_LIMITS,
    taken: int = 0,
) -> list[SourceRange]:
    """The next ranges of the customer whose landing folder this is, at most `max_messages` in all,
    of which so many are `taken` by another source.

    Files are taken in name order. Lines of plain files are split; anything else is one range, and
    may exceed the bound if it is the first of the batch (or it would never be read).
    """
    if max_messages < 1 or split_bytes < 1:
        raise ValueError("max_messages and split_bytes must be at least 1")
    files = list_files(folder)
    last = last_claims(claimed)
    refused = refused_files(claimed)
    for claim in last.values():
        _check(folder, files, claim, claim.end_offset)

    twins = landed_contents(claimed)
    found: list[SourceRange] = []
    left = max_messages - taken
    for source, path in files.items():
        if left <= 0:
            break
        if source in refused and _still_is(folder, path, refused[source]):
            continue
        if source in last and last[source].kind == "lost":
            ranges = [_given_up(last[source])]
        elif source in last:
            ranges = _resume(folder, path, last[source], left, split_bytes, limits)
        else:
            ranges = _first_ranges(folder, source, path, left, split_bytes, limits)
            twin = twins.get(ranges[0].identity) if ranges else None
            if twin is not None:
                ranges = [_refused(ranges[0], f"the same content has landed as {twin}")]
        messages = sum(claim.messages for claim in ranges)
        if messages > left and left < max_messages:
            break  # a file that is read whole, and others come before it in this batch
        twins.update((claim.identity, source) for claim in ranges if claim.kind == "read")
        found += ranges
        left -= messages
    return found


def last_claims(claimed: Sequence[SourceRange]) -> dict[str, SourceRange]:
    """The claim that reaches furthest, per file. A refused file counts as never claimed."""
    last: dict[str, SourceRange] = {}
    for claim in claimed:
        if claim.is_of_a_file and claim.kind != "refused":
            before = last.get(claim.source)
            if before is None or claim.end_offset >= before.end_offset:
                last[claim.source] = claim
    return last


def refused_files(claimed: Sequence[SourceRange]) -> dict[str, SourceRange]:
    """The claim that refused each file. Not of the copy of one that was given up afterwards: that
    is read now."""
    refused: dict[str, SourceRange] = {}
    for claim in claimed:
        if claim.kind == "refused":
            refused[claim.source] = claim
        elif claim.kind == "lost":
            copies = [name for name, of in refused.items() if of.identity == claim.identity]
            for name in copies:
                del refused[name]
    return refused


def check_unread(folder: Path, ranges: Sequence[SourceRange]) -> None:
    """Stop before reading claimed ranges, in their order, if a file isn't there as claimed."""
    files = list_files(folder)
    to_read: dict[str, SourceRange] = {}
    for claim in ranges:
        if claim.is_of_a_file and claim.kind == "read" and claim.messages:
            to_read.setdefault(claim.source, claim)
    for claim in to_read.values():
        _check(folder, files, claim, claim.start_offset)


def _check(folder: Path, files: Mapping[str, Path], claim: SourceRange, unread: int) -> None:
    """Stop if a claimed file was changed, or is gone with messages, from `unread` on, not read."""
    if claim.source in files:
        if not _still_is(folder, files[claim.source], claim):
            raise changed(folder, claim, unread)
    elif unread < claim.source_end_offset:
        raise gone(folder, claim, unread)


def _still_is(folder: Path, path: Path, claim: SourceRange) -> bool:
    with open_file(folder, path) as handle:
        return is_unchanged(handle, claim)


def _first_ranges(
    folder: Path, source: str, path: Path, left: int, split_bytes: int, limits: Limits
) -> list[SourceRange]:
    """Count, hash and split a file that is new, in one pass. None if it is being written to."""
    with open_file(folder, path) as handle:
        stamp = FileStamp.of(handle)
        digest = hashlib.sha256()
        blocks = file_blocks(handle, digest=digest)
        content = read_content(blocks, limits)
        pieces: list[_Piece] = []
        if content.can_be_split:
            pieces = list(_split(content.records, 0, content.start_byte, left, split_bytes))
        count = (pieces[-1].end_offset if pieces else 0) + sum(1 for _ in content.records)
        for _ in blocks:  # what reading had no use for is part of the content's identity
            pass
        if FileStamp.of(handle) != stamp:
            return []
    whole = SourceRange(
        source=source,
        partition=0,
        start_offset=0,
        end_offset=count,
        start_byte=None,
        end_byte=None,
        identity=digest.hexdigest(),
        size_bytes=stamp.size_bytes,
        source_end_offset=count,
        source_timestamp_ms=stamp.modified_ms,
        kind="read",
        note=None,
    )
    if path.name != source:
        return [_refused(whole, "the file's name isn't UTF-8: land it under another name")]
    if source == PREFIX + folder.name:
        return [_refused(whole, "the file's name is the topic's: land it under another name")]
    return [replace(whole, **piece._asdict()) for piece in pieces] or [whole]


def _resume(
    folder: Path, path: Path, last: SourceRange, left: int, split_bytes: int, limits: Limits
) -> list[SourceRange]:
    """The next ranges of a file of lines that is claimed in part, read from there on."""
    if last.is_last or last.end_byte is None:
        return []
    with open_file(folder, path) as handle:
        records = read_lines(file_blocks(handle, last.end_byte), last.end_byte, limits.line_bytes)
        pieces = list(_split(records, last.end_offset, last.end_byte, left, split_bytes))
        if not is_unchanged(handle, last):
            raise changed(folder, last, last.end_offset)
    return [replace(last, **piece._asdict()) for piece in pieces]


def _split(
    records: Iterator[Record], offset: int, byte: int, most: int, split_bytes: int
) -> Iterator[_Piece]:
    """The next `most` lines in pieces of about `split_bytes`; takes no line beyond them."""
    end_offset, end_byte = offset, byte
    for record in islice(records, most):
        end_offset, end_byte = end_offset + 1, record.end_byte
        if end_byte - byte >= split_bytes:
            yield _Piece(offset, end_offset, byte, end_byte)
            offset, byte = end_offset, end_byte
    if end_offset > offset:
        yield _Piece(offset, end_offset, byte, end_byte)


def _given_up(lost: SourceRange) -> SourceRange:
    span = f"{lost.start_offset} to {lost.end_offset}"
    return _refused(lost, f"its messages {span} were given up: land it under another name")


def _refused(claim: SourceRange, note: str) -> SourceRange:
    """The claim that says that a file is known and won't be read."""
    return replace(
        claim,
        start_offset=0,
        end_offset=0,
        start_byte=None,
        end_byte=None,
        source_end_offset=0,
        kind="refused",
        note=note,
    )
