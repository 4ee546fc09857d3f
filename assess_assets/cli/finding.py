"""What an examination of `assess doctor` finds, and the probes that several of them share.

Belongs here: the form of a finding, whether a folder can be written, whether a host answers.
"""

import os
import socket
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

CONNECT_SECONDS: Final = 3.0
PROBE_BYTES: Final = 64 * 1024
MOST_TOLD: Final = 5
REINSTALL: Final = "pip install --require-hashes -r requirements.lock (or: make setup)"


class Finding(NamedTuple):
    """What one examination found; `fix` is what to run or set."""

    status: Literal["ok", "warn", "fail"]
    subject: str
    told: str
    fix: str = ""


def unreachable(uri: str) -> str:
    """Why nobody answers at the URI's host, if it names one with a port; empty if one does."""
    address = uri.partition("://")[2].partition("/")[0].partition(";")[0]
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        return ""
    try:
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
    except OSError as error:
        return f"nobody answers at {address}: {error}"
    return ""


def unwritable(folder: Path) -> str:
    """Why the folder can't be written; empty if it can. Nothing is left there."""
    probe = folder / f".assess-doctor-{uuid.uuid4().hex}"
    try:
        try:
            with probe.open("xb") as file:
                file.write(os.urandom(PROBE_BYTES))  # a full disk still takes names
                file.flush()
                os.fsync(file.fileno())
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def some(paths: Sequence[Path]) -> str:
    """The first ones, and how many more there are."""
    more = f" and {len(paths) - MOST_TOLD} more" if len(paths) > MOST_TOLD else ""
    return ", ".join(map(str, paths[:MOST_TOLD])) + more


def unusable(subject: str, place: str, reason: str) -> Finding:
    return Finding(
        "fail",
        subject,
        f"{place} can't be used: {reason}",
        f"give this user access to it and room on its disk, or set ASSESS_{subject.upper()}",
    )
