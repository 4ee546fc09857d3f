"""What the services remember in their folder: ports, process ids, services.json for programs.

Belongs here: reading and atomically writing these files, and the lock by which commands take turns.
"""

import fcntl
import json
import os
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from assess_assets.platform.errors import PlatformError

HOST: Final = "127.0.0.1"
# Below what systems hand out to outgoing connections: a port stays free while its service is down.
_PORTS: Final = range(20_000, 32_000)


def write_json(path: Path, value: Any) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(json.dumps(value, indent=2) + "\n")
    beside.replace(path)


def read_json(path: Path) -> Any:
    """The file's value, or None where there is no such file."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None


def ports(folder: Path, *names: str) -> dict[str, int]:
    """A free loopback port for each name: chosen once, and the same for ever after."""
    file = folder / "ports.json"
    known: dict[str, int] = read_json(file) or {}
    if not all(name in known for name in names):
        known |= {name: _free_port() for name in names if name not in known}
        write_json(file, known)
    return known


def _free_port() -> int:
    for port in random.sample(_PORTS, 100):
        if is_free(port):
            return port
    raise PlatformError(f"No free port was found between {_PORTS[0]} and {_PORTS[-1]}.")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers bind: connections of one that has just stopped don't count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Does anything accept connections there?"""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Two commands on one folder take turns; the system frees the lock of one that dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
