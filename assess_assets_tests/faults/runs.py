"""Runs of a customer in processes of their own, each forked from one that has imported everything.

Belongs here: starting and ending such a process. Does not: what happens to it (`sabotage`), which
fault comes when, and what must hold afterwards (`harness`, `on_platform`).
"""

import faulthandler
import multiprocessing as mp
import os
import signal
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from assess_assets.storage.engine_faults import engine_faults
from assess_assets_tests.faults.sabotage import Sabotage, around_commits, inflict

PRELOADED = ("assess_assets_tests.conftest", "assess_assets_tests.faults.machine", "grpc")
PATIENCE_SECONDS = 180
# Of a Spark session: little time is lost over tables of a few rows, as by `spark_conf` elsewhere.
FOR_SMALL_TABLES = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}
LOG = "run.log"
COMMITS = "commits.log"  # when each commit was made, and to which table


@dataclass(frozen=True)
class Deployed:
    """Whose data a run is about and where it is; without more than a customer: in local files."""

    customer: str = "acme"
    lake: str | None = None
    webhdfs: str | None = None
    hadoop_user: str | None = None
    kafka: str | None = None
    spark: str = "sail"


@dataclass(frozen=True)
class Job:
    """One run of everything for the customer whose landing folder (and lake) are in `folder`."""

    folder: Path
    policy_version: int
    by_dagster: bool = False
    sabotage: Sabotage = field(default_factory=Sabotage)
    deployed: Deployed = Deployed()


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
            if job.deployed.hadoop_user:
                os.environ["HADOOP_USER_NAME"] = job.deployed.hadoop_user
            around_commits(after=lambda target: _note(job, target.table.name))
            inflict(job.sabotage)
            with engine_faults(f"Customer {job.deployed.customer}"):  # as each of Dagster's steps
                _materialize(job) if job.by_dagster else _step_by_step(job)
            said.send("done")
        except BaseException as error:
            said.send(_told(error))


def _step_by_step(job: Job) -> None:
    from assess_assets.resources.spark import SparkEngine
    from assess_assets.sources.kafka_config import KafkaConfig
    from assess_assets_tests.faults.machine import policy
    from assess_assets_tests.steps import Steps

    there = job.deployed
    session = SparkEngine(url=there.spark).session
    if there.spark != "sail":
        for name, value in FOR_SMALL_TABLES.items():
            session.conf.set(name, value)
    Steps(
        session,
        job.folder,
        policy(job.policy_version),
        customer=there.customer,
        lake_uri=there.lake,
        webhdfs=there.webhdfs,
        kafka=KafkaConfig(there.kafka) if there.kafka else None,
    ).run()


def _materialize(job: Job) -> None:
    import dagster as dg

    from assess_assets_tests.conftest import Platform
    from assess_assets_tests.faults.machine import tested

    policies = job.folder / "policies.toml"
    shares = ("max_quarantine_share", "max_conflict_share", "max_mismatch_share")
    lines = [f"version = {job.policy_version}", *(f"{share} = 1.0" for share in shares)]
    lines.append(f"test_exam_ids = {sorted(tested(job.policy_version))}")
    policies.write_text("[default]\n" + "\n".join(lines) + "\n")
    with dg.DagsterInstance.ephemeral() as instance:
        platform = Platform(job.folder, instance)
        there = {name: value for name, value in asdict(job.deployed).items() if value}
        customer = there.pop("customer")
        platform.with_settings(policies=policies, **there)
        platform.register(customer)
        platform.materialize(customer)


def _told(error: BaseException) -> str:
    """The error and what caused it, by name."""
    chain: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        chain.append(f"{type(cause).__name__}: {str(cause)[:1000]}")  # then come Java's calls
        cause = cause.__cause__
    return " <- ".join(chain)


def _note(job: Job, table: str) -> None:
    """One write of a short line: runs at the same time do not mix theirs."""
    with (job.folder / COMMITS).open("a") as file:
        file.write(f"{time.time()} {table}\n")


def commits_of(folder: Path) -> list[tuple[float, str]]:
    """Each commit of the runs in that folder, in seconds since the epoch, and its table."""
    lines = (folder / COMMITS).read_text().splitlines() if (folder / COMMITS).exists() else []
    return [(float(at), table) for at, table in map(str.split, lines)]
