"""A run that stops at every decision and write, so that others can be let in between.

Each run has a thread of its own, and only one of them is ever awake: which one, and how far it
goes, is the caller's choice, so that a race is a sequence that can be repeated.
"""

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from threading import Semaphore, Thread

from pyspark.sql import DataFrame, SparkSession

from assess_assets.storage.delta import Pin
from assess_assets.storage.lake import Lake
from assess_assets.tables.contract import TableContract
from assess_assets_tests.steps import Steps

PATIENCE_SECONDS = 300  # of a caller: a run that takes longer hangs


class Crashed(BaseException):
    """Ends a run where it is: no handler of the product's may catch it."""


class PausingLake(Lake):
    """Stops before a version is pinned, before a table is read, and before the clock is asked.

    (Both claims ask the clock between deciding and committing.)
    """

    def __init__(self, lake: Lake, pause: Callable[[str], None]) -> None:
        def now() -> datetime:
            pause("claim")
            return lake.now()

        super().__init__(lake.layout, lambda: lake.spark, now)
        self._pause = pause

    def pin(self, table: TableContract, customer: str) -> Pin:
        self._pause(f"pin {table.name}")
        return super().pin(table, customer)

    def read(self, pinned: Pin) -> DataFrame:
        self._pause(f"read {pinned.table.name}")
        return super().read(pinned)

    @property
    def spark(self) -> SparkSession:
        self._pause("engine")
        return super().spark


class PausingSteps(Steps):
    """Steps on a lake that stops; one lake for the whole run, as Dagster's runs have."""

    pause: Callable[[str], None]

    @cached_property
    def lake(self) -> Lake:
        return PausingLake(super().lake, lambda where: self.pause(where))


class Race:
    """One run among others. `where` it has stopped; `error` is what it ended with."""

    def __init__(self, steps: Steps) -> None:
        self._steps = PausingSteps(
            steps.spark, steps.folder, steps.policy, steps.max_messages, lake_uri=steps.lake_uri
        )
        self._steps.pause = self._pause
        self._go, self._stopped = Semaphore(0), Semaphore(0)
        self._crash = False
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()
        self.where = "start"
        self.ended = False
        self.error: Exception | None = None

    def advance(self, pauses: int) -> None:
        """Let it go on for some pauses, or to its end."""
        for _ in range(pauses):
            if not self.ended:
                self._wake()

    def advance_to(self, where: str) -> None:
        """Let it go on until it stops there, or to its end."""
        self._wake()
        while not self.ended and self.where != where:
            self._wake()

    def finish(self) -> None:
        while not self.ended:
            self._wake()

    def crash(self) -> None:
        if not self.ended:
            self._crash = True
            self._wake()

    def _wake(self) -> None:
        self._go.release()
        assert self._stopped.acquire(timeout=PATIENCE_SECONDS), f"a run hangs after {self.where}"

    def _run(self) -> None:
        self._go.acquire()
        try:
            for table in self._steps.pauses():
                self._pause(f"write {table}")
        except Crashed:
            pass
        except Exception as error:
            self.error = error
        self.ended = True
        self._stopped.release()

    def _pause(self, where: str) -> None:
        self.where = where
        self._stopped.release()
        self._go.acquire()
        if self._crash:
            raise Crashed
