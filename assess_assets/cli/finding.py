"""What an examination of `assess doctor` finds, and the probes that several of them share.

Belongs here: the form of a finding, whether a folder can be written, whether a host answers.
"""

import socket
import uuid
from pathlib import Path
from typing import Final, Literal, NamedTuple

CONNECT_SECONDS: Final = 3.0
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


def is_writable(folder: Path) -> bool:
    probe = folder / f".assess-doctor-{uuid.uuid4().hex}"
    try:
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True


def unusable(subject: str, place: str, reason: str) -> Finding:
    found = f"{place} can't be used" + (f": {reason}" if reason else "")
    return Finding(
        "fail", subject, found, f"give this user access to it, or set ASSESS_{subject.upper()}"
    )
