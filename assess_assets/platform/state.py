"""What the services remember in their folder: ports, process ids, services.json for programs.

Belongs here: reading and atomically writing these files, and the lock by which commands take turns.
"""

import fcntl
import json
import os
import random
import socket
from collections.abc import Iterator, Set
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
    """The file's value, or None where there is none, or one that a power cut left unfinished."""
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None


def ports(folder: Path, *names: str) -> dict[str, int]:
    """A free loopback port for each name: chosen once, and the same for ever after.

    None that another name has, here or in a folder beside this one; where one does have it, it is
    chosen anew as soon as nothing runs in the folder.
    """
    file = folder / "ports.json"
    known: dict[str, int] = read_json(file) or {}
    taken = _taken_beside(folder)
    if not any(folder.glob("*.pid.json")):
        once = {port: name for name, port in reversed(known.items()) if port not in taken}
        known = {name: port for name, port in known.items() if once.get(port) == name}
    if not all(name in known for name in names):
        for name in names:
            if name not in known:
                known[name] = _free_port(taken.union(known.values()))
        write_json(file, known)
    return known


def _taken_beside(folder: Path) -> set[int]:
    """The ports that services in folders beside this one have chosen."""
    taken: set[int] = set()
    for file in folder.parent.glob("*/ports.json"):
        is_own = file.resolve().parent == folder.resolve()  # beside itself too, by a link
        if not is_own and os.access(file, os.R_OK):
            taken.update((read_json(file) or {}).values())
    return taken


def _free_port(taken: Set[int]) -> int:
    for port in random.sample(_PORTS, 100):
        if port not in taken and is_free(port):
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
