"""The rounds of `assess follow`: who has news, their runs, and who has to wait after a failure.

Belongs here: what one round does, in a process whose engine and clients stay open. Does not: the
rhythm and the signals (`follow`), or what is news (`automation.news`).

Neighbours with news (in Dagster's order of partitions) are one range run, as in a backfill: one
customer's failure there stops nobody else, and what a run costs whoever it is for is paid once.
"""

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import dagster as dg

from assess_assets.assets.lake_maintenance import MaintenanceConfig
from assess_assets.automation.being_run import being_run, ranges_of
from assess_assets.automation.jobs import MAINTAIN, UPDATE
from assess_assets.automation.news import (
    News,
    Sight,
    customers_with_sources,
    look_at_sources,
    news_of,
)
from assess_assets.cli.followed_runs import COMMAND, PROCESS, execute, first_failure, is_dead
from assess_assets.customer_names import keys_among
from assess_assets.customers import CUSTOMERS
from assess_assets.resources.lake import LakeResource
from assess_assets.resources.spark import SparkEngine
from assess_assets.settings import Settings
from assess_assets.sources.kafka_errors import NoAnswer, NotAuthorized
from assess_assets.storage.maintenance import small_files
from assess_assets.storage.set_aside import set_aside_in
from assess_assets.tables.ingest import RAW_MESSAGES

MOST_ROUNDS_TO_WAIT = 64
MOST_SMALL_FILES = 50  # of raw_messages: with as many a run takes twice its time


@dataclass
class _Standing:
    """What earlier rounds know of a customer."""

    failures: int = 0  # in a row
    not_before: int = 0  # the round in which it is tried again
    settled: str | None = None  # the version of its sources at which there was no news
    done: str | None = None  # the key of the news that a run has dealt with


@dataclass
class Follower:
    """Rounds for all customers, or `only` some. `is_blind`: not everything could be looked at in
    the last round."""

    instance: dg.DagsterInstance
    only: frozenset[str]
    say: Callable[[str], None]
    is_blind: bool = False
    _rounds: int = 0
    _standings: defaultdict[str, _Standing] = field(default_factory=lambda: defaultdict(_Standing))
    _said: set[str] = field(default_factory=set)
    _said_before: set[str] = field(default_factory=set)

    @property
    def failing(self) -> dict[str, int]:
        """How often each customer that is not up to date has failed in a row."""
        return {name: one.failures for name, one in self._standings.items() if one.failures}

    def open(self) -> None:
        """Start the engine; end on paper the runs of a process like this that was killed."""
        settings = Settings()
        self._lake = LakeResource.from_settings(settings, SparkEngine(url=settings.spark))
        self._broker = self._lake.broker()
        self._lake.lake.spark.range(1).count()
        for run in self.instance.get_runs(dg.RunsFilter(tags={COMMAND: "follow"})):
            if not run.is_finished and is_dead(run.tags.get(PROCESS, "")):
                self.instance.report_run_failed(run, "The process of this run was killed.")
        self.say(f"Following {', '.join(sorted(self.only)) or 'all customers'}.")

    def round(self) -> list[str]:
        """Look once, and run what is new. The ids of the runs; none, and nothing written, if none.

        What goes wrong is said, and tried again.
        """
        self._rounds += 1
        self._said_before, self._said = self._said, set()
        was_blind = self.is_blind
        try:
            if self.is_blind:  # a client keeps the password and certificates it was made with
                self._broker = self._lake.broker()
            customers, silent = self._registered()
            followed, no_keys = keys_among(customers)
            for told in no_keys.values():
                self._say_once(f"Not followed: {told}")
            sights = look_at_sources(self._lake, self._broker, followed, silent)
        except Exception as error:  # the broker, the folder or the instance: for all customers
            self._say_once(f"Nothing could be looked at: {error} It is tried again.")
            self.is_blind = True
            return []
        self.is_blind = silent is not None
        if silent:
            self._say_once(f"Only landing folders are looked at: {silent} It is tried again.")
        elif refused := [one.customer for one in sights if isinstance(one.topic, NotAuthorized)]:
            self._say_once(
                f"Kafka refuses the topics of {len(refused)} customers, of which only landing "
                f"folders are looked at: {', '.join(refused)}"
            )
        news = {one.customer: one for sight in sights if (one := self._news(sight, silent))}
        if was_blind and not self.is_blind:
            self.say("Everything can be looked at again.")
        busy = being_run(self.instance) if news else {}
        for customer in busy.keys() & news.keys():
            self._say_once(
                f"{customer} waits: run {busy[customer]} is under way or queued. (If its process "
                "was killed it waits for ever: `assess doctor` names such runs.)"
            )
        free = news.keys() - busy.keys()
        runs = [self._run([news[key] for key in keys]) for keys in ranges_of(customers, set(free))]
        return [run for run in runs if run]

    def _registered(self) -> tuple[list[str], NoAnswer | None]:
        """Customers to look at, in Dagster's order; whoever has sources is registered. And why
        those with topics are not known, if so."""
        name = CUSTOMERS.name or ""
        # Before sources are looked at: who is being removed loses them first, and stays removed.
        known = self.instance.get_dynamic_partitions(name)
        keys, refused, silent = customers_with_sources(self._lake, self._broker)
        for told in refused:
            self._say_once(f"Not followed: {told}")
        new = [key for key in keys if key not in set(known) and self._is_wanted(key)]
        if new:
            self.instance.add_dynamic_partitions(name, new)
            self.say(f"Registered {', '.join(new)}.")
        return [*known, *new], silent

    def _is_wanted(self, customer: str) -> bool:
        return not self.only or customer in self.only

    def _news(self, sight: Sight, silent: NoAnswer | None) -> News | None:
        customer = sight.customer
        standing = self._standings[customer]
        is_waiting = self._rounds < standing.not_before
        is_settled = standing.settled == sight.version
        if is_waiting or is_settled or not self._is_wanted(customer):
            return None
        try:
            news = news_of(self._lake, sight)
        except NoAnswer as error:  # no failure of its own: looked at again in the next round
            self.is_blind = True
            awaited = f"its topic: {error}"
            if error is silent:  # said already
                awaited = "the broker, as its messages come by a topic."
            self._say_once(f"{customer} waits for {awaited}")
            return None
        except Exception as error:  # one customer's tables or topic
            self._failed(customer, str(error))
            return None
        if news is None or standing.done == news.key:
            standing.settled = sight.version
            self._succeeded(customer)
            return None
        return news

    def _run(self, news: list[News]) -> str:
        customers = [one.customer for one in news]
        began = time.perf_counter()
        try:
            result = execute(self.instance, UPDATE, customers)
        except Exception as error:  # Dagster itself, or its storage
            for customer in customers:
                self._failed(customer, f"The run could not be recorded or started: {error}")
            return ""
        seconds = time.perf_counter() - began
        aside = set_aside_in(self.instance, result.run_id)
        done = []
        for one in news:
            reason = aside.get(one.customer) or (None if result.success else first_failure(result))
            told = f"{one.customer}: {one.told}; run {result.run_id}, {seconds:.1f} s"
            if result.success or (aside and one.customer not in aside):
                self._standings[one.customer].done = one.key
                self._succeeded(one.customer)
                self.say(told)
                done.append(one.customer)
            else:
                self._failed(one.customer, f"{told}: {reason}")
        for customer in done:  # when all of the run is told
            self._tidy(customer)
        return result.run_id

    def _tidy(self, customer: str) -> None:
        """Each run with news adds a file to raw_messages: of very many, every run gets slower."""
        try:
            raw = self._lake.lake.pin_existing(RAW_MESSAGES, customer)
            upkeep = MaintenanceConfig.model_validate({}).upkeep()
            if raw is None or small_files(raw.log, upkeep) <= MOST_SMALL_FILES:
                return
            result = execute(self.instance, MAINTAIN, [customer])
            ended = "" if result.success else f" FAILED: {first_failure(result)}"
            told = f"run {result.run_id}{ended}"
        except Exception as error:  # nothing is lost: it is tried again after the next run
            told = f"FAILED: {error}"
        self.say(f"{customer}: lake_maintenance, for fewer files; {told}")

    def _succeeded(self, customer: str) -> None:
        standing = self._standings[customer]
        if standing.failures:
            self.say(f"{customer}: is up to date again.")
        standing.failures = standing.not_before = 0

    def _failed(self, customer: str, told: str) -> None:
        """It is tried again in the next round, then after 2, 4, 8 ... rounds."""
        standing = self._standings[customer]
        standing.failures += 1
        wait = min(2 ** (standing.failures - 1), MOST_ROUNDS_TO_WAIT)
        standing.not_before = self._rounds + wait
        when = "in the next round" if wait == 1 else f"in {wait} rounds"
        self.say(f"{customer}: FAILED, and is tried again {when}. {told}")

    def _say_once(self, told: str) -> None:
        """Not again while it is so in every round; months later it may be news."""
        if told not in self._said | self._said_before:
            self.say(told)
        self._said.add(told)
