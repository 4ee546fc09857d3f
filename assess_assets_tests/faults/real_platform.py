"""A real Kafka, HDFS and perhaps Spark, the processes of which are killed and started again.

Belongs here: who is to be killed, and how long the restart takes. Does not: when, and what must
hold afterwards (`platform_harness`).
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from assess_assets.platform.hdfs import PLATFORM_USER, Hdfs
from assess_assets.platform.kafka import KafkaBroker
from assess_assets.platform.services import Services
from assess_assets.platform.spark import Spark
from assess_assets_tests.faults.runs import Deployed

PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Victim:
    """A process of the platform, and how the platform is whole again after it was killed."""

    pid: int
    is_dead: Callable[[], bool]
    restart: Callable[[], object]

    def kill(self) -> None:
        """SIGKILL, unless it is dead; returns when it is."""
        if not self.is_dead():
            os.kill(self.pid, signal.SIGKILL)
        _await(self.is_dead, f"the end of process {self.pid}")


class RealPlatform:
    """What runs need: `kafka`, `hdfs` and, unless they run on Sail, `spark`."""

    def __init__(self, kafka: KafkaBroker, hdfs: Hdfs, spark: Spark | None = None) -> None:
        self.kafka = kafka
        self.hdfs = hdfs
        self.spark = spark

    def deployed(self, customer: str) -> Deployed:
        """A new lake for a new customer."""
        return Deployed(
            customer=customer,
            lake=self.hdfs.make_lake(f"/lake-of-{customer}"),
            webhdfs=self.hdfs.uris["ASSESS_WEBHDFS"],
            hadoop_user=PLATFORM_USER,
            kafka=self.kafka.bootstrap_servers,
            spark=self.spark.remote if self.spark else "sail",
        )

    def victim(self, kind: str, random: Random) -> Victim:
        """The process that a fault of this kind is for."""
        match kind:
            case "broker killed":
                service, restart = self.kafka.service, self.kafka.start
            case "DataNode killed":
                service, restart = random.choice(self.hdfs.datanodes), self.hdfs.start
            case "Connect server killed":
                service, restart = self._spark.connect, self._spark.start
            case "executor killed":
                return self._executor()
            case _:
                raise ValueError(f"no process is killed by {kind}")
        pid = service.pid
        assert pid is not None, f"{service.name} does not run"
        return Victim(pid, lambda: service.pid is None, restart)

    def _executor(self) -> Victim:
        _await(lambda: bool(self._executors()), "an executor")
        pid = self._executors()[0]
        return Victim(
            pid,
            lambda: pid not in self._executors(),
            lambda: _await(lambda: bool(set(self._executors()) - {pid}), "a new executor"),
        )

    def _executors(self) -> list[int]:
        """Those that the worker has started: the master replaces one that is gone."""
        return [pid for pid in self._spark.worker.left() if "ExecutorBackend" in _command(pid)]

    @property
    def _spark(self) -> Spark:
        assert self.spark is not None, "this platform has no Spark"
        return self.spark


def _await(condition: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up, f"{what} did not come"
        time.sleep(0.02)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


@contextmanager
def real_platform(folder: Path, *, with_spark: bool) -> Iterator[RealPlatform]:
    """Started side by side; this process is the platform's user to HDFS as long as it lives."""
    services = Services(folder)
    with ExitStack() as stack:
        before = os.environ.get("HADOOP_USER_NAME")
        stack.callback(_restore_user, before)
        os.environ["HADOOP_USER_NAME"] = PLATFORM_USER
        stack.callback(services.down)
        services.up(("kafka", "hdfs", "spark") if with_spark else ("kafka", "hdfs"))
        yield RealPlatform(
            KafkaBroker(folder / "kafka"),
            Hdfs(folder / "hdfs"),
            Spark(folder / "spark") if with_spark else None,
        )


def _restore_user(before: str | None) -> None:
    if before is None:
        del os.environ["HADOOP_USER_NAME"]
    else:
        os.environ["HADOOP_USER_NAME"] = before
