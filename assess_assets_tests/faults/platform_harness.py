"""The harness of the real platform: a fault under publishing and running, a rerun, all compared.

Belongs here: which fault comes when, and what is counted. Does not: services (`real_platform`),
processes (`runs`), delivery reports (`publishing`), what the tables must hold (`watching`).
"""

import random
import time
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

from assess_assets_tests.faults.harness import CLEAR
from assess_assets_tests.faults.published_customer import PublishedCustomer
from assess_assets_tests.faults.real_platform import RealPlatform
from assess_assets_tests.faults.runs import Job, Nursery, Run, commits_of
from assess_assets_tests.faults.sabotage import Sabotage
from assess_assets_tests.faults.tallies import Tally
from assess_assets_tests.faults.watching import Violation
from assess_assets_tests.steps import WRITTEN

FAULTS_PER_CUSTOMER = 10  # then a fresh one: logs stay short, and first runs are met too
EVERY_SECONDS = 0.1  # a message is published while a run is under way
# A rerun may say that it has to be run again, as when a busy broker did not answer in time:
# to do so is no repair by hand. It is told.
RERUNS = 3
DOWN_SECONDS = 2.0  # at most, before what was killed is started again
BOUNDARIES = tuple((when, table) for table in WRITTEN for when in ("kill before", "kill after"))
OF_A_RUN = ("run killed at a commit", "run killed at random", "two runs at once")
OF_A_SERVICE = ("broker killed", "DataNode killed")
OF_SPARK = ("executor killed", "Connect server killed")
# How a run may end that a service failed, beside the ways of one that another run overtook.
NAMED = (*CLEAR, "LakeFault", "BrokerUnavailable", "FolderNotProtected", "EngineGone")


class PlatformHarness:
    """Faults on one platform, the same ones for the same seed (moments at random apart)."""

    def __init__(
        self,
        platform: RealPlatform,
        folder: Path,
        seed: int,
        dagster_every: int = 0,
        boundaries: Sequence[tuple[str, str]] = BOUNDARIES,
    ) -> None:
        self._platform = platform
        self._folder = folder
        self._random = random.Random(seed)
        self._dagster_every = dagster_every
        self._nursery = Nursery()
        self._boundaries = cycle(boundaries)
        self._typical = {False: 6.0, True: 20.0}  # seconds of a run; measured as they pass
        self.customers: list[PublishedCustomer] = []
        self.tallies: dict[str, Tally] = {}
        self.rounds: list[dict[str, Any]] = []  # what was done, and what came of it

    def inflict(self, kind: str) -> Tally:
        """One fault under publishing and running, one rerun, one comparison of everything."""
        tally = self.tallies.setdefault(kind, Tally(kind))
        number = len(self.rounds) + 1
        customer = self._customer_of(number)
        by_dagster = bool(self._dagster_every) and number % self._dagster_every == 0
        done: dict[str, Any] = {"fault": number, "kind": kind, "by_dagster": by_dagster}
        self.rounds.append(done)
        tally.number += 1
        tally.by_dagster += by_dagster
        customer.deliver(number)
        started = time.time()
        with customer.publisher.publishing(customer.messages(number), EVERY_SECONDS):
            outcomes = self._fault(kind, customer, done)
        done["ended"] = [outcome[:3000] for outcome in outcomes]
        done["fault_seconds"] = round(time.time() - started, 2)
        tally.hit += any(outcome != "done" for outcome in outcomes)
        tally.crashed += sum(outcome.startswith("crashed") for outcome in outcomes)
        try:
            self._rerun(customer, done, tally)
            done["rerun_seconds"] = round(time.time() - started - done["fault_seconds"], 2)
            customer.require_complete()
        except Violation as violation:
            tally.hand_repairs += 1
            self._tell(tally, f"fault {number}: {violation}")
        lost, repeated = customer.lost_and_repeated()
        tally.lost += lost
        tally.repeated += repeated
        if lost or repeated:
            self._tell(tally, f"fault {number}: {lost} lost, {repeated} repeated")
        done["seconds"] = round(time.time() - started, 2)
        return tally

    @property
    def unnamed(self) -> list[str]:
        """How runs ended that did not say what happened."""
        return [
            f"fault {done['fault']}: {ended}"
            for done in self.rounds
            for ended in done["ended"]
            if ended not in ("done", "killed") and not any(sign in ended for sign in NAMED)
        ]

    def _fault(self, kind: str, customer: PublishedCustomer, done: dict[str, Any]) -> list[str]:
        """How the runs that met it ended."""
        if kind == "two runs at once":
            first = self._start(customer, done)
            self._wait(first, done, 0.5)
            return [run.outcome() for run in (first, self._start(customer, done))]
        if kind == "run killed at a commit":
            when, table = next(self._boundaries)
            customer.policy_version += table == "builds"  # else there is no such commit
            done["at"] = f"{when} {table}"
            return [self._start(customer, done, Sabotage(when, table=table)).outcome()]
        if kind == "run killed at random":
            run = self._start(customer, done)
            self._wait(run, done)
            run.kill()
            return [run.outcome()]
        return [self._kill_a_service(kind, customer, done)]

    def _kill_a_service(self, kind: str, customer: PublishedCustomer, done: dict[str, Any]) -> str:
        """At a commit of the run, or at random; and start it again after a while."""
        victim = self._platform.victim(kind, self._random)
        if self._random.random() < 0.5:
            when, table = self._random.choice(BOUNDARIES[:4] if "broker" in kind else BOUNDARIES)
            done["at"] = f"{when} {table}"
            run = self._start(customer, done, Sabotage(when, table=table, victim=victim.pid))
            while run.is_alive and not victim.is_dead():
                time.sleep(0.05)
        else:
            run = self._start(customer, done)
            self._wait(run, done)
        victim.kill()
        time.sleep(self._random.uniform(0, DOWN_SECONDS))
        done["restart_began"] = time.time()
        victim.restart()
        done["ready"] = time.time()
        return run.outcome()

    def _wait(self, run: Run, done: dict[str, Any], most: float = 1.0) -> None:
        """For some part of a run."""
        seconds = self._random.uniform(0, most * self._typical[done["by_dagster"]])
        done["at"] = f"{seconds:.2f} s"
        give_up = time.monotonic() + seconds
        while run.is_alive and time.monotonic() < give_up:
            time.sleep(0.01)

    def _rerun(self, customer: PublishedCustomer, done: dict[str, Any], tally: Tally) -> None:
        began = time.time()
        for _ in range(RERUNS):
            outcome = self._start(customer, done).outcome()
            crashed = outcome.startswith("crashed")  # one more kill, so one more rerun
            tally.crashed += crashed
            if outcome == "done" or not (crashed or any(sign in outcome for sign in NAMED)):
                break
            done.setdefault("said_run_again", []).append(outcome[:500])
        if outcome != "done":
            raise Violation(f"the rerun failed: {outcome}")
        taken = time.time() - began
        self._typical[done["by_dagster"]] += (taken - self._typical[done["by_dagster"]]) / 4
        if done["kind"] != "two runs at once":
            # From when the restart began, of the service or else of the run, and made after it.
            since, ready = done.get("restart_began", began), done.get("ready", began)
            first = min(at for at, _ in commits_of(customer.folder) if at >= ready)
            done["first_commit"] = round(first - since, 2)
            tally.first_commits.append(done["first_commit"])

    def _start(
        self, customer: PublishedCustomer, done: dict[str, Any], sabotage: Sabotage | None = None
    ) -> Run:
        return self._nursery.start(
            Job(
                customer.folder,
                customer.policy_version,
                done["by_dagster"],
                sabotage or Sabotage(),
                customer.deployed,
            )
        )

    def _customer_of(self, number: int) -> PublishedCustomer:
        broken = bool(self.rounds) and "told" in self.rounds[-1]
        if broken or (number - 1) % FAULTS_PER_CUSTOMER == 0:
            deployed = self._platform.deployed(f"faulty-{len(self.customers) + 1}")
            folder = self._folder / deployed.customer
            self.customers.append(PublishedCustomer(deployed, folder))
        return self.customers[-1]

    def _tell(self, tally: Tally, told: str) -> None:
        self.rounds[-1]["told"] = told
        tally.told.append(told)
