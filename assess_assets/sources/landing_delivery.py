"""Putting a file into a customer's landing folder, whole or not at all.

Belongs here: the one way this package writes there. Does not: reading or claiming what lies there.
"""

import hashlib
import os
import secrets
import shlex
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from assess_assets.sources.kafka_topic import PREFIX
from assess_assets.sources.landing import last_claims
from assess_assets.sources.landing_content import file_blocks
from assess_assets.sources.landing_files import (
    SUFFIXES,
    is_landing_name,
    list_files,
    open_file,
    sha256_of,
    source_name,
)
from assess_assets.sources.ranges import (
    AlreadyLanded,
    LandingNameTaken,
    NotALandingFile,
    SourceError,
    SourceRange,
    landed_contents,
)

# As open() does: the umask decides who else may read it, not the temporary file's privacy.
_FILE_MODE: Final = 0o666


def land_file(
    file: Path,
    landing: Path,
    customer_key: str,
    name: str | None = None,
    claimed: Sequence[SourceRange] = (),
    unread: Collection[str] = (),
) -> Path:
    """Copy `file` into the customer's landing folder and return where it lies.

    It appears there complete under its name, or not at all, and never in another file's place.
    `claimed` are the customer's ranges: files that were read and since removed are known from them,
    by content and by name.
    Files in `unread`, of which not all has been read, can be restored.
    """
    name = file.name if name is None else name
    try:
        _check_names(file, customer_key, name)
        return _land(file, landing / customer_key, name, claimed, unread)
    except OSError as error:
        where = f"{error.strerror} ({error.filename})" if error.filename else error.strerror
        raise SourceError(
            f"Customer {customer_key}: {file} can't be landed in {landing / customer_key}: "
            f"{where}. Give this user access, or make room on the disk; then land it again."
        ) from error


def _land(
    file: Path,
    folder: Path,
    name: str,
    claimed: Sequence[SourceRange],
    unread: Collection[str],
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / name
    # Hidden, so that no scan takes it; beside the target, so that linking it is atomic.
    unfinished = folder / f".{secrets.token_hex(8)}.landing"
    try:
        sha256 = _copy(file, unfinished)
        _check_new(folder, target, unfinished, sha256, claimed, unread)
        _publish(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
    _sync_folder(folder)
    return target


def _check_names(file: Path, customer_key: str, name: str) -> None:
    if not file.is_file():
        raise NotALandingFile(
            f"Customer {customer_key}: {file} is not a file. Name an existing one."
        )
    is_plain = name == Path(name).name and source_name(name) == name and "\0" not in name
    if not is_plain or not is_landing_name(name):
        raise NotALandingFile(
            f"Customer {customer_key}: {file} can't be landed as {name!r}. Give it a visible name "
            f"in UTF-8, without a folder, that ends in one of {', '.join(SUFFIXES)}."
        )
    if customer_key in ("", "..") or customer_key != Path(customer_key).name:
        raise NotALandingFile(
            f"{file} can't be landed: {customer_key!r} is not a customer's key. Name a known one."
        )
    if name == PREFIX + customer_key:
        raise NotALandingFile(
            f"Customer {customer_key}: {file} can't be landed as {name}, which is what the "
            "customer's Kafka topic is called: messages of both would have the same coordinates. "
            "Give it another name (--name)."
        )


def _copy(file: Path, unfinished: Path) -> str:
    digest = hashlib.sha256()
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    with file.open("rb", 0) as content, os.fdopen(descriptor, "wb", 0) as copy:
        for block in file_blocks(content, digest=digest):
            rest = memoryview(block)
            while rest:
                rest = rest[copy.write(rest) :]
        os.fsync(copy.fileno())
    return digest.hexdigest()


def _check_new(
    folder: Path,
    target: Path,
    unfinished: Path,
    sha256: str,
    claimed: Sequence[SourceRange],
    unread: Collection[str],
) -> None:
    """Refuse content that was claimed or lies there; only files of the same size are compared."""
    size = unfinished.stat().st_size
    files = list_files(folder)
    known = landed_contents(claimed).get(sha256)
    if known in unread and known not in files:
        if known == target.name:
            return  # restored, to be read on
        raise AlreadyLanded(
            f"Customer {folder.name}: the same content (SHA-256 {sha256}) was landed as {known}, "
            "which is gone from the folder and has not been read whole. Restore it: land it as "
            f"that (--name {shlex.quote(str(known))})."
        )
    twins = [known] if known is not None else []
    for source, path in files.items():
        if path.stat().st_size == size:
            with open_file(folder, path) as handle:
                twins += [source] if sha256_of(handle) == sha256 else []
    if twins:
        raise AlreadyLanded(
            f"Customer {folder.name}: the same content has already landed in {folder} as "
            f"{twins[0]} (SHA-256 {sha256}). There is nothing left to do."
        )
    if os.path.lexists(target):
        raise _name_taken(target)
    if target.name in last_claims(claimed):
        raise LandingNameTaken(
            f"Customer {folder.name}: a file {target.name} was read before, or given up, and is "
            "known by this name for good, though it is gone. Land the file under another name "
            "(--name)."
        )


def _publish(unfinished: Path, target: Path) -> None:
    try:
        os.link(unfinished, target)  # unlike a rename, fails if the name was taken meanwhile
    except FileExistsError:
        raise _name_taken(target) from None
    except OSError as error:
        raise SourceError(
            f"Customer {target.parent.name}: {target} can't be created: {error.strerror}. The "
            "landing folder needs a file system with hard links; or copy the file there under a "
            "hidden name and rename it yourself."
        ) from error


def _name_taken(target: Path) -> LandingNameTaken:
    return LandingNameTaken(
        f"Customer {target.parent.name}: {target} exists with other content, and landed files "
        "never change. Land the file under another name."
    )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
