"""The bytes of a landed file, block by block: as they lie there, or unpacked from gzip.

Belongs here: reading, hashing and unpacking, with bounded memory. Does not: what the bytes mean
(`landing_formats`), or which files there are (`landing_files`).
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, Protocol

BLOCK_BYTES: Final = 1024 * 1024
PACKED_BLOCK_BYTES: Final = 64 * 1024
GZIP_MAGIC: Final = b"\x1f\x8b"
MAX_LINE_BYTES: Final = 64 * 1024**2
MAX_UNPACKED_BYTES: Final = 4 * 1024**3
MAX_WHOLE_RECORDS: Final = 10_000_000


@dataclass(frozen=True)
class Limits:
    """How much one file can make a reader hold or do; a claim and its reader need the same."""

    line_bytes: int = MAX_LINE_BYTES  # one message; longer ones are kept cut off
    unpacked_bytes: int = MAX_UNPACKED_BYTES  # of a gzip file
    whole_records: int = MAX_WHOLE_RECORDS  # of a file that can't be split: 4 GiB of "\n" is 4 MB


DEFAULT_LIMITS: Final = Limits()


class BrokenContent(Exception):
    """Ends an iterator of blocks, after the last byte that could be had: why there is no more."""


class Digest(Protocol):
    """The part of a hashlib object that reading feeds."""

    def update(self, data: bytes, /) -> None: ...


def file_blocks(
    handle: BinaryIO, start: int = 0, end: int | None = None, digest: Digest | None = None
) -> Iterator[bytes]:
    """The file's bytes from `start` to `end`, each block hashed before it is handed out."""
    handle.seek(start)
    left = end - start if end is not None else None
    while left is None or left > 0:
        block = handle.read(BLOCK_BYTES if left is None else min(BLOCK_BYTES, left))
        if not block:
            return
        if digest is not None:
            digest.update(block)
        if left is not None:
            left -= len(block)
        yield block


def peek(blocks: Iterator[bytes], size: int) -> tuple[bytes, bool, Iterator[bytes]]:
    """A prefix of more than `size` bytes if there are so many, whether it is all, all blocks again.

    "All" includes content that breaks off within the prefix: it does so once more in the blocks.
    """
    taken = bytearray()
    whole = False
    broken: BrokenContent | None = None
    try:
        while len(taken) <= size and not whole:
            block = next(blocks, None)
            whole = block is None
            taken += block or b""
    except BrokenContent as error:
        whole, broken = True, error
    prefix = bytes(taken)

    def again() -> Iterator[bytes]:
        yield prefix
        if broken is not None:
            raise broken
        yield from blocks

    return prefix, whole, again()


def unpack(packed: Iterator[bytes], max_bytes: int) -> Iterator[bytes]:
    """What the gzip members in `packed` hold, one after another, as far as it can be had."""
    member = zlib.decompressobj(zlib.MAX_WBITS | 16)
    size = 0
    for block in packed:
        for start in range(0, len(block), PACKED_BLOCK_BYTES):
            rest = block[start : start + PACKED_BLOCK_BYTES]
            while rest:
                if member.eof:  # gzip files may be concatenated, and padded with zeros
                    rest = rest.lstrip(b"\0")
                    if not rest:
                        break
                    member = zlib.decompressobj(zlib.MAX_WBITS | 16)
                try:
                    for content in _inflate(member, rest):
                        if size + len(content) > max_bytes:
                            yield content[: max_bytes - size]
                            raise BrokenContent(
                                f"the gzip data unpacks to more than {max_bytes} bytes: not read on"
                            )
                        size += len(content)
                        yield content
                except zlib.error as error:
                    raise BrokenContent(
                        f"the gzip data is corrupt after {size} unpacked bytes ({error})"
                    ) from None
                rest = member.unused_data
    if not member.eof:
        raise BrokenContent(f"the gzip data is cut off after {size} unpacked bytes")


def _inflate(member: Any, packed: bytes) -> Iterator[bytes]:  # zlib doesn't name its class
    """Feed `packed` to the member and hand out at most BLOCK_BYTES at a time.

    zlib throws away what a failing call had unpacked. So the call is repeated on a copy from
    before it, byte by byte: nothing in front of the corrupt byte is lost.
    """
    while True:
        before = member.copy()
        try:
            content = member.decompress(packed, BLOCK_BYTES)
        except zlib.error:
            salvaged = bytearray()
            try:
                for position in range(len(packed)):
                    salvaged += before.decompress(packed[position : position + 1])
            except zlib.error:
                yield bytes(salvaged)
            raise
        if content:
            yield content
        packed = member.unconsumed_tail
        # A full block may leave more inside zlib although all its input is taken.
        if member.eof or (not packed and len(content) < BLOCK_BYTES):
            return
