"""The harness: a fault, then a rerun, then everything is compared; many times over.

Belongs here: which fault comes when, and what is counted. Does not: processes (`runs`), what must
hold (`watching`), printing (`__main__`).
"""

import random
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from assess_assets_tests.faults.machine import POOL, Customer, policy
from assess_assets_tests.faults.reading import Reader
from assess_assets_tests.faults.runs import Job, Nursery, Run
from assess_assets_tests.faults.sabotage import Sabotage
from assess_assets_tests.faults.tallies import Tally
from assess_assets_tests.faults.watching import Violation
from assess_assets_tests.steps import WRITTEN

# How a run may end when something got in its way: by saying what, or by saying what to do.
CLEAR = (
    "LostRace",
    "UpstreamNotReady",
    "Missing commit file",  # Sail lists a log while another commits: read again, all is there
    "File too large",
    "Permission denied",
    "EFBIG",
    "os error",
)
COMMITS = 13  # of a run that writes every table
FAULTS_PER_CUSTOMER = 20  # then a fresh one: logs stay short
KILLS = ("kill before a commit", "kill after a commit", "kill in a write", "kill at random")
FAILURES = ("full disk", "read-only folder", "second writer", "two runs at once")


class Harness:
    """Faults on customers in `folder`, the same ones for the same seed (kills at random apart)."""

    def __init__(self, folder: Path, seed: int, dagster_every: int = 0) -> None:
        self._folder = folder
        self._random = random.Random(seed)
        self._dagster_every = dagster_every
        self._nursery = Nursery()
        self._customer: Customer | None = None
        self._done = 0
        self._typical = {False: 1.5, True: 8.0}  # seconds of a run; measured as they pass
        self.crashes: list[str] = []
        self.tallies: dict[str, Tally] = {kind: Tally(kind) for kind in (*KILLS, *FAILURES)}

    def inflict(self, kind: str) -> Tally:
        """One fault, one rerun, one comparison of everything."""
        tally = self.tallies[kind]
        customer = self._next_customer()
        by_dagster = bool(self._dagster_every) and self._done % self._dagster_every == 0
        tally.number += 1
        tally.by_dagster += by_dagster
        self._news(customer)
        with Reader(customer.steps.uri) as reader:
            try:
                tally.hit += self._fault(tally, customer, by_dagster)
                customer.watch.look()
                self._rerun(customer, by_dagster, tally)
                customer.watch.require_complete()
            except Violation as violation:
                lost, repeated = _counted(customer)
                tally.lost += lost
                tally.repeated += repeated
                tally.hand_repairs += 1
                tally.told.append(f"fault {self._done}: {violation}")
                self._keep(customer)
        customer.watch.look()
        differing = reader.differing(customer.watch.digests)
        tally.torn_reads += len(reader.torn) + len(differing)
        tally.told += [f"fault {self._done}: {told}" for told in [*reader.torn, *differing]]
        tally.versions_read += len(reader.seen)
        return tally

    def _fault(self, tally: Tally, customer: Customer, by_dagster: bool) -> bool:
        """Whether it ended the run. Raises Violation for an end that is not clear."""
        kind = tally.kind
        if kind == "two runs at once":
            runs = [self._start(customer, by_dagster) for _ in range(2)]
            outcomes = [run.outcome() for run in runs]
        elif kind == "read-only folder":
            table = self._random.choice(WRITTEN)
            with _read_only(self._table_folder(customer, table)):
                outcomes = [self._start(customer, by_dagster, Sabotage("plain user")).outcome()]
        elif kind == "kill in a write":
            run = self._start(customer, by_dagster)
            self._kill_in_a_write(customer, run, self._random.choice(WRITTEN))
            outcomes = [run.outcome()]
        elif kind == "kill at random":
            run = self._start(customer, by_dagster)
            time.sleep(self._random.uniform(0, self._typical[by_dagster]))
            run.kill()
            outcomes = [run.outcome()]
        else:
            outcomes = [self._start(customer, by_dagster, self._sabotage(kind)).outcome()]
        for outcome in outcomes:
            if outcome.startswith("crashed"):
                tally.crashed += 1
                self.crashes.append(outcome)
            elif outcome not in ("done", "killed") and not any(sign in outcome for sign in CLEAR):
                raise Violation(f"a run that met {kind} ended unclearly: {outcome}")
        return any(outcome != "done" for outcome in outcomes)

    def _sabotage(self, kind: str) -> Sabotage:
        number = self._random.randint(1, COMMITS)
        if kind == "full disk":
            return Sabotage("full disk", self._random.choice([512, 2048, 4096, 8192, 16384]))
        return Sabotage(kind.removesuffix(" a commit"), number)

    def _start(self, customer: Customer, by_dagster: bool, sabotage: Sabotage | None = None) -> Run:
        steps = customer.steps
        return self._nursery.start(
            Job(steps.folder, steps.policy.version, by_dagster, sabotage or Sabotage())
        )

    def _rerun(self, customer: Customer, by_dagster: bool, tally: Tally) -> None:
        started, before = time.monotonic(), self._commits(customer)
        run = self._start(customer, by_dagster)
        while run.is_alive and self._commits(customer) == before:
            time.sleep(0.002)
        if self._commits(customer) != before:
            tally.first_commits.append(round(time.monotonic() - started, 3))
        outcome = run.outcome()
        if outcome.startswith("crashed"):  # one more kill, so one more rerun
            tally.crashed += 1
            self.crashes.append(outcome)
            outcome = self._start(customer, by_dagster).outcome()
        if outcome != "done":
            raise Violation(f"the rerun failed: {outcome}")
        taken = time.monotonic() - started
        self._typical[by_dagster] += (taken - self._typical[by_dagster]) / 4

    def _kill_in_a_write(self, customer: Customer, run: Run, table: str) -> None:
        """As soon as the table has a file that it did not have: before the commit, mostly."""
        folder = self._table_folder(customer, table)
        before = set(folder.glob("*.parquet"))
        while run.is_alive and not set(folder.glob("*.parquet")) - before:
            time.sleep(0.0002)
        run.kill()

    def _commits(self, customer: Customer) -> int:
        lake = customer.steps.folder / "lake"
        return sum(1 for _ in lake.glob("*/*/_delta_log/*.json"))

    def _table_folder(self, customer: Customer, table: str) -> Path:
        return Path(customer.steps.uri(table).removeprefix("file://"))

    def _next_customer(self) -> Customer:
        if self._customer is None or self._done % FAULTS_PER_CUSTOMER == 0:
            if self._customer is not None:
                shutil.rmtree(self._customer.steps.folder)
            folder = self._folder / f"{self._done:05}"
            folder.mkdir(parents=True)
            # No session: this process reads logs and Parquet, and lets others run engines.
            self._customer = Customer(cast(Any, None), folder)
        self._done += 1
        return self._customer

    def _news(self, customer: Customer) -> None:
        """A delivery, and now and then a rebuild: something for the run to write."""
        number = len(customer.files)
        fresh = POOL["d"].replace('"user_exam_id": "d"', f'"user_exam_id": "d{number}"')
        others = self._random.sample(sorted(POOL), k=2)
        customer.publish([fresh, *(POOL[name] for name in others)])
        if number % 7 == 3:
            customer.steps.claim_rebuild()
        if number % 7 == 6:
            customer.steps.policy = policy(customer.steps.policy.version + 1)

    def _keep(self, customer: Customer) -> None:
        """A customer that would need a hand is kept to be looked at, and replaced."""
        kept = customer.steps.folder.with_name(f"{customer.steps.folder.name}-broken")
        shutil.copytree(customer.steps.folder, kept, dirs_exist_ok=True)
        self._done += -self._done % FAULTS_PER_CUSTOMER


def faults(kills: int, failures: int) -> list[str]:
    """The kinds in the order in which they come: half of the kills at boundaries."""
    shares = dict.fromkeys(KILLS, kills // 4)
    shares[KILLS[0]] += kills - sum(shares.values())
    listed = [kind for kind in KILLS for _ in range(shares[kind])]
    listed += [kind for kind in FAILURES for _ in range(failures)]
    random.Random(0).shuffle(listed)
    return listed


def _counted(customer: Customer) -> tuple[int, int]:
    try:
        return customer.watch.lost_and_repeated()
    except Violation:
        return 1, 1


@contextmanager
def _read_only(folder: Path) -> Iterator[None]:
    folders = [folder, folder / "_delta_log"]
    made = [each for each in folders if each.exists()] or [_nearest(folder)]
    modes = {each: each.stat().st_mode for each in made}
    for each in made:
        each.chmod(0o555)
    try:
        yield
    finally:
        for each, mode in modes.items():
            each.chmod(mode)


def _nearest(folder: Path) -> Path:
    """The first existing folder above one that a first run has not made."""
    return next(each for each in folder.parents if each.exists())
