"""Whole files that are bad: what their bytes are, and what each of their messages must become.

Belongs here: damage to a file. Does not: messages of a file that is sound.
"""

import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from assess_assets.messages import Rule
from assess_assets.sample.defects.kinds import ACCEPTED, Outcome, refused

UNREADABLE: Final = refused(Rule.UNREADABLE_SOURCE)


@dataclass(frozen=True, slots=True)
class FileKind:
    """One kind of file: `make` gets two good messages; `outcomes` are of its messages in order."""

    name: str
    suffix: str
    meaning: str
    outcomes: tuple[Outcome, ...]
    make: Callable[[bytes, bytes], bytes]
    is_large: bool = False


KINDS: Final[list[FileKind]] = []


def _file(
    suffix: str, *outcomes: Outcome, is_large: bool = False
) -> Callable[[Callable[[bytes, bytes], bytes]], None]:
    def declare(make: Callable[[bytes, bytes], bytes]) -> None:
        name = make.__name__.replace("_", " ")
        meaning = " ".join((make.__doc__ or "").split())
        KINDS.append(FileKind(name, suffix, meaning, outcomes, make, is_large))

    return declare


@_file("json", UNREADABLE)
def file_that_is_not_json(one: bytes, other: bytes) -> bytes:
    """A page, a table or a picture under the name of a JSON file."""
    return b"<html>\n<body>502 Bad Gateway</body>\n</html>\n"


@_file("ndjson", UNREADABLE)
def file_in_utf_16(one: bytes, other: bytes) -> bytes:
    """Text in another encoding."""
    return (one + b"\n" + other).decode().encode("utf-16")


@_file("json", UNREADABLE)
def empty_file(one: bytes, other: bytes) -> bytes:
    """No byte."""
    return b""


@_file("ndjson", ACCEPTED, ACCEPTED)
def file_with_byte_order_mark(one: bytes, other: bytes) -> bytes:
    """At the beginning of a file it is no part of a message."""
    return b"\xef\xbb\xbf" + one + b"\n" + other + b"\n"


@_file("ndjson", ACCEPTED, refused(Rule.NOT_JSON))
def file_without_its_end(one: bytes, other: bytes) -> bytes:
    """Lines of which the last is cut off."""
    return one + b"\n" + other[:-100]


@_file("json", ACCEPTED, UNREADABLE)
def array_without_its_end(one: bytes, other: bytes) -> bytes:
    """The elements before the spot are read, the rest is one message that says so."""
    return b"[" + one + b",\n" + other[:-100]


@_file("json", ACCEPTED, UNREADABLE)
def array_with_garbage(one: bytes, other: bytes) -> bytes:
    """The same for a spot that is no JSON."""
    return b"[" + one + b", oops, " + other + b"]"


@_file("ndjson.gz", UNREADABLE)
def gzip_cut_off(one: bytes, other: bytes) -> bytes:
    """What can be unpacked is read: here, less than one message."""
    return _packed(one + b"\n" + other + b"\n")[:200]


@_file("ndjson.gz", ACCEPTED, ACCEPTED, UNREADABLE)
def gzip_without_its_end(one: bytes, other: bytes) -> bytes:
    """Here, everything but the checksum."""
    return _packed(one + b"\n" + other + b"\n")[:-8]


@_file("json.gz", UNREADABLE)
def gzip_in_name_and_first_bytes_only(one: bytes, other: bytes) -> bytes:
    """Noise behind gzip's mark."""
    return b"\x1f\x8b" + bytes(range(200))


@_file("json.gz", UNREADABLE, is_large=True)
def zip_bomb(one: bytes, other: bytes) -> bytes:
    """5 GiB of zeros in 5 MB: a mebibyte is kept, and no more unpacked than that takes."""
    return _packed(b"name,score\n") + _packed(bytes(16 * 1024**2)) * 320


@_file("ndjson.gz", ACCEPTED, UNREADABLE, ACCEPTED, is_large=True)
def zip_bomb_on_one_line(one: bytes, other: bytes) -> bytes:
    """A line of 80 MiB: 64 of them are kept, and the lines around it are read."""
    bomb = b'{"a":"' + b"x" * (80 * 1024**2) + b'"}'
    return _packed(b"\n".join([one, bomb, other]))


def _packed(content: bytes) -> bytes:
    """The same bytes each time: without the time at which it was packed."""
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as file:
        file.write(content)
    return packed.getvalue()
