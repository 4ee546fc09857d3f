"""What happens to a run from the inside: at a commit of its own, or to its rights and its disk.

Belongs here: doing it, once the process that runs it calls `inflict`. Which fault comes when is
the harnesses' business.
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from assess_assets.storage.delta import Pin


@dataclass(frozen=True)
class Sabotage:
    """What happens to a run from the inside; the harness may kill it from the outside as well."""

    kind: str = "none"  # none, kill before, kill after, second writer, full disk, plain user
    at: int = 0  # number of the commit; bytes that a file may have
    table: str = ""  # the first commit to this table, instead of the commit of that number
    victim: int = 0  # the process to be killed; without, the run itself


def inflict(sabotage: Sabotage) -> None:
    """On this process, from now on."""
    match sabotage.kind:
        case "kill before":
            around_commits(before=_once(sabotage, _killing(sabotage)))
        case "kill after":
            around_commits(after=_once(sabotage, _killing(sabotage)))
        case "second writer":
            around_commits(before=_once(sabotage, _commit_something))
        case "full disk":
            # Like a full disk, without a disk of one's own: a part is written, then it fails.
            # Python itself keeps a part of what it compiled then, and fails of it for ever.
            sys.dont_write_bytecode = True
            resource.setrlimit(resource.RLIMIT_FSIZE, (sabotage.at, sabotage.at))
        case "plain user":
            _drop_privileges()


def around_commits(
    before: Callable[[Pin], None] = lambda target: None,
    after: Callable[[Pin], None] = lambda target: None,
) -> None:
    """Have these called around every commit of this process, claims included."""
    from assess_assets.storage import builds, claims, delta

    def around(commit: Callable[..., None]) -> Callable[..., None]:
        def watched(target: Pin, *arguments: Any) -> None:
            before(target)
            commit(target, *arguments)
            after(target)

        return watched

    replacing, claiming = around(delta.replace), around(delta.append_claim)
    for module, name, wrapped in (
        (delta, "replace", replacing),
        (delta, "append_claim", claiming),
        (claims, "append_claim", claiming),
        (builds, "append_claim", claiming),
    ):
        setattr(module, name, wrapped)


def _once(sabotage: Sabotage, act: Callable[[Pin], None]) -> Callable[[Pin], None]:
    """At the commit that is meant, counted from 1 over all tables, or over those to one table."""
    numbers = count(1)
    wanted = 1 if sabotage.table else sabotage.at

    def perhaps(target: Pin) -> None:
        if sabotage.table in ("", target.table.name) and next(numbers) == wanted:
            act(target)

    return perhaps


def _killing(sabotage: Sabotage) -> Callable[[Pin], None]:
    return lambda target: os.kill(sabotage.victim or os.getpid(), signal.SIGKILL)


def _commit_something(target: Pin) -> None:
    """A commit that changes no row, such as maintenance makes."""
    from deltalake import DeltaTable

    changed = {"delta.logRetentionDuration": "interval 90 days"}
    DeltaTable(target.uri).alter.set_table_properties(changed)


def _drop_privileges() -> None:
    """Root may write where nobody may: give that up, for this process and its threads."""
    if os.geteuid() != 0:
        return
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this thread
    none = (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(header, none) != 0:
        raise OSError(ctypes.get_errno(), "capabilities can't be dropped")
