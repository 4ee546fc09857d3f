"""Runs of a customer in processes of their own, each forked from one that has imported everything.

Belongs here: starting, sabotaging and ending such a process. Does not: which fault comes when, and
what must hold afterwards (`harness`).
"""

import ctypes
import faulthandler
import multiprocessing as mp
import os
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

PRELOADED = ("assess_assets_tests.conftest", "assess_assets_tests.faults.machine", "grpc")
PATIENCE_SECONDS = 180
LOG = "run.log"


@dataclass(frozen=True)
class Sabotage:
    """What happens to a run from the inside; the harness may kill it from the outside as well."""

    kind: str = "none"  # none, kill before, kill after, second writer, full disk, plain user
    at: int = 0  # number of the commit; bytes that a file may have


@dataclass(frozen=True)
class Job:
    """One run of everything for the customer whose landing folder and lake are in `folder`."""

    folder: Path
    policy_version: int
    by_dagster: bool = False
    sabotage: Sabotage = Sabotage()


class Nursery:
    """Forks runs. A process that has started an engine must not be forked, so this is another."""

    def __init__(self) -> None:
        self._context: Any = mp.get_context("forkserver")
        self._context.set_forkserver_preload(list(PRELOADED))

    def start(self, job: Job) -> "Run":
        ours, theirs = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_run, args=(job, theirs), daemon=True)
        process.start()
        theirs.close()
        return Run(process, ours, job.folder / LOG)


class Run:
    """A run that was started."""

    def __init__(self, process: Any, said: Connection, log: Path) -> None:
        self._process = process
        self._said = said
        self._log = log

    @property
    def is_alive(self) -> bool:
        return bool(self._process.is_alive())

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nothing is cleaned up."""
        self._process.kill()

    def outcome(self) -> str:
        """`done`, `killed`, `crashed ...` (by itself), or the error it ended with."""
        self._process.join(PATIENCE_SECONDS)
        if self.is_alive:
            self.kill()
            self._process.join()
            return f"hangs: killed after {PATIENCE_SECONDS} seconds"
        if self._process.exitcode == -signal.SIGKILL:
            return "killed"
        try:
            return str(self._said.recv())
        except EOFError:
            return f"crashed with exit code {self._process.exitcode}\n{self._log_end()}"

    def _log_end(self) -> str:
        return self._log.read_text(errors="replace")[-6000:]


def _run(job: Job, said: Connection) -> None:
    sys.path[:0] = [path for path in (str(Path(__file__).parents[2]),) if path not in sys.path]
    log = os.open(job.folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    with os.fdopen(log, "w") as out, redirect_stdout(out), redirect_stderr(out):
        faulthandler.enable(out)
        try:
            _sabotage(job.sabotage)
            _materialize(job) if job.by_dagster else _step_by_step(job)
            said.send("done")
        except BaseException as error:
            said.send(_told(error))


def _step_by_step(job: Job) -> None:
    from assess_assets.resources.spark import SparkEngine
    from assess_assets_tests.faults.machine import policy
    from assess_assets_tests.steps import Steps

    Steps(SparkEngine().session, job.folder, policy(job.policy_version)).run()


def _materialize(job: Job) -> None:
    import dagster as dg

    from assess_assets_tests.conftest import Platform
    from assess_assets_tests.faults.machine import tested
    from assess_assets_tests.steps import CUSTOMER

    policies = job.folder / "policies.toml"
    shares = ("max_quarantine_share", "max_conflict_share", "max_mismatch_share")
    lines = [f"version = {job.policy_version}", *(f"{share} = 1.0" for share in shares)]
    lines.append(f"test_exam_ids = {sorted(tested(job.policy_version))}")
    policies.write_text("[default]\n" + "\n".join(lines) + "\n")
    with dg.DagsterInstance.ephemeral() as instance:
        platform = Platform(job.folder, instance)
        platform.with_settings(policies=policies, spark="sail")
        platform.register(CUSTOMER)
        platform.materialize(CUSTOMER)


def _told(error: BaseException) -> str:
    """The error and what caused it, by name."""
    chain: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        chain.append(f"{type(cause).__name__}: {cause}")
        cause = cause.__cause__
    return " <- ".join(chain)[-4000:]


def _sabotage(sabotage: Sabotage) -> None:
    def kill(_: str) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    match sabotage.kind:
        case "kill before" | "kill after" as when:
            _at_commit(sabotage.at, when.removeprefix("kill "), kill)
        case "second writer":
            _at_commit(sabotage.at, "before", _commit_something)
        case "full disk":
            # Like a full disk, without a disk of one's own: a part is written, then it fails.
            resource.setrlimit(resource.RLIMIT_FSIZE, (sabotage.at, sabotage.at))
        case "plain user":
            _drop_privileges()


def _at_commit(number: int, when: str, act: Callable[[str], None]) -> None:
    """Act before, or after, the commit of that number, counted from 1 over all tables."""
    from assess_assets.assets import raw_messages
    from assess_assets.storage import builds, claims, delta

    numbers = count(1)

    def around(commit: Callable[..., None]) -> Callable[..., None]:
        def counted(target: Any, *arguments: Any) -> None:
            now = next(numbers) == number
            if now and when == "before":
                act(target.uri)
            commit(target, *arguments)
            if now and when == "after":
                act(target.uri)

        return counted

    replacing, claiming = around(delta.replace), around(delta.append_claim)
    for module, name, wrapped in (
        (delta, "replace", replacing),
        (raw_messages, "replace", replacing),
        (claims, "append_claim", claiming),
        (builds, "append_claim", claiming),
    ):
        setattr(module, name, wrapped)


def _commit_something(uri: str) -> None:
    """A commit that changes no row, such as maintenance makes."""
    from deltalake import DeltaTable

    DeltaTable(uri).alter.set_table_properties({"delta.logRetentionDuration": "interval 90 days"})


def _drop_privileges() -> None:
    """Root may write where nobody may: give that up, for this process and its threads."""
    if os.geteuid() != 0:
        return
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this thread
    none = (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(header, none) != 0:
        raise OSError(ctypes.get_errno(), "capabilities can't be dropped")
