"""The files of one customer's landing folder: which ones count, opening them, reading a range.

Belongs here: names, file stamps and the check that a file still is what was claimed. Does not:
what to claim next (`landing`), or what the bytes mean (`landing_formats`).
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from assess_assets.sources.landing_content import DEFAULT_LIMITS, Limits, file_blocks
from assess_assets.sources.landing_customers import LINK
from assess_assets.sources.landing_elements import Record
from assess_assets.sources.landing_formats import read_content, read_lines
from assess_assets.sources.ranges import (
    LandedFileChanged,
    LandedFileMissing,
    LandedFileUnreadable,
    SourceRange,
    accept_command,
)

SUFFIXES: Final = tuple(
    f".{kind}{gz}" for kind in ("json", "ndjson", "jsonl") for gz in ("", ".gz")
)


@dataclass(frozen=True)
class FileStamp:
    """What tells cheaply that a file has not been written to."""

    size_bytes: int
    modified_ms: int

    @classmethod
    def of(cls, handle: BinaryIO) -> "FileStamp":
        """The stamp of an open file."""
        return cls.of_status(os.fstat(handle.fileno()))

    @classmethod
    def of_status(cls, status: os.stat_result) -> "FileStamp":
        return cls(status.st_size, status.st_mtime_ns // 1_000_000)

    @classmethod
    def claimed(cls, claimed: SourceRange) -> "FileStamp":
        """The stamp the file of a range had when it was claimed."""
        return cls(claimed.size_bytes or 0, claimed.source_timestamp_ms or 0)


def is_landing_name(name: str) -> bool:
    """Whether a file of this name is read: hidden names and `*.tmp` are being written still."""
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def list_files(folder: Path) -> dict[str, Path]:
    """The customer's landed files by their source name, in name order.

    Symbolic links don't count: one could lead to another customer's file.
    """
    if folder.is_symlink():
        raise LandedFileUnreadable(
            f"Customer {folder.name}: the landing folder {folder} is {LINK}. Nothing of it is read."
        )
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise LandedFileUnreadable(
            f"Customer {folder.name}: the landing folder {folder} can't be listed: "
            f"{error.strerror}. Give this process access to it and run again."
        ) from error
    files = {
        source_name(entry.name): folder / entry.name
        for entry in entries
        if is_landing_name(entry.name) and entry.is_file(follow_symlinks=False)
    }
    return dict(sorted(files.items()))


def folder_version(folder: Path) -> str:
    """Changes when a file comes, goes or changes: a digest of names, sizes and times."""
    stats = {file.name: file.stat() for file in list_files(folder).values()}
    told = "\n".join(f"{name} {of.st_size} {of.st_mtime_ns}" for name, of in stats.items())
    return hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def source_name(file_name: str) -> str:
    """The name as a table can hold it: bytes that aren't UTF-8 are shown as `\\udcff`."""
    return file_name.encode("utf-8", "backslashreplace").decode()


def open_file(folder: Path, path: Path) -> BinaryIO:
    """Open a landed file for reading, but never what a link in its place points to."""
    try:
        return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb", 0)
    except FileNotFoundError as error:
        raise LandedFileMissing(
            f"Customer {folder.name}: landed file {path} is gone while it is being read. "
            "Restore it and run again."
        ) from error
    except OSError as error:
        raise LandedFileUnreadable(
            f"Customer {folder.name}: landed file {path} can't be opened: {error.strerror}. "
            "Make it a regular file that this process may read, and run again."
        ) from error


def is_unchanged(handle: BinaryIO, claimed: SourceRange) -> bool:
    """Whether the file has the claimed content; it is read only if its stamp differs."""
    stamp = FileStamp.of(handle)
    if stamp == FileStamp.claimed(claimed):
        return True
    return stamp.size_bytes == claimed.size_bytes and sha256_of(handle) == claimed.identity


def sha256_of(handle: BinaryIO) -> str:
    """The SHA-256 of a file's whole content, in hex."""
    digest = hashlib.sha256()
    for _ in file_blocks(handle, digest=digest):
        pass
    return digest.hexdigest()


def gone(folder: Path, claimed: SourceRange, unread: int) -> LandedFileMissing:
    """The error for a file whose messages, from `unread` on, were not read; and the ways out."""
    return LandedFileMissing(
        f"Customer {folder.name}: landed file {folder / claimed.source} is gone, and its messages "
        f"{unread} to {claimed.source_end_offset} have not been read. Restore it (SHA-256 "
        f"{claimed.identity}) and run again; or give them up: "
        f"{accept_command(folder.name, claimed.source)}"
    )


def changed(folder: Path, claimed: SourceRange, unread: int) -> LandedFileChanged:
    """The error for a file that is no longer what was claimed: which, and what to do next.

    A file whose messages all have been read (or given up) may go; another one is needed as it was.
    """
    action = (
        "There is nothing left to read of it: move the new content to another name, where it is "
        "read. Then run again."
        if unread >= claimed.source_end_offset
        else "Move the new content to another name, where it is read. Restore the old, whose "
        f"messages {unread} to {claimed.source_end_offset} have not been read, and run again; or "
        f"give them up: {accept_command(folder.name, claimed.source)}"
    )
    return LandedFileChanged(
        f"Customer {folder.name}: landed file {folder / claimed.source} has changed since it was "
        f"claimed (SHA-256 {claimed.identity}, {claimed.size_bytes} bytes). {action}"
    )


def read_range(
    folder: Path, claimed: SourceRange, limits: Limits = DEFAULT_LIMITS
) -> Iterator[Record]:
    """Exactly the records that were claimed, or an error: before, between or after them."""
    if claimed.kind != "read":
        return  # nothing of a refused file is read, and what is lost can't be
    path = _path_of(folder, claimed.source)
    try:
        opened = open_file(folder, path)
    except LandedFileMissing:
        raise gone(folder, claimed, claimed.start_offset) from None
    with opened as handle:
        if not is_unchanged(handle, claimed):
            raise changed(folder, claimed, claimed.start_offset)
        if claimed.start_byte is None:
            records = read_content(file_blocks(handle), limits).records
        else:
            blocks = file_blocks(handle, claimed.start_byte, claimed.end_byte)
            records = read_lines(blocks, claimed.start_byte, limits.line_bytes)
        count = 0
        for record in records:
            count += 1
            if count > claimed.messages:
                raise changed(folder, claimed, claimed.start_offset)
            yield record
        if count != claimed.messages or not is_unchanged(handle, claimed):
            raise changed(folder, claimed, claimed.start_offset)


def _path_of(folder: Path, source: str) -> Path:
    """The file of a source. A range comes from a table: it must not lead out of the folder."""
    if source != Path(source).name or not is_landing_name(source):
        raise LandedFileUnreadable(
            f"Customer {folder.name}: {source!r} is not the name of a file in {folder}, so its "
            "range was not claimed by this code. Look at the customer's source_ranges."
        )
    return folder / source
