"""The lake as a step sees it: pin, read, progress, and what is to be written.

Belongs here: the one object that steps, checks and commands share. Deciding is `protocol`'s,
moving bytes is `delta`'s.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn, TypeVar

from pyspark.sql import DataFrame, SparkSession

from assess_assets.commands import update_command
from assess_assets.customer_names import require_customer_key
from assess_assets.storage import delta
from assess_assets.storage.builds import (
    Build,
    Versions,
    latest_build,
    refuse_changed_policy,
    refuse_older_code,
)
from assess_assets.storage.damage import damage_told
from assess_assets.storage.delta import Pin
from assess_assets.storage.engine_faults import engine_faults
from assess_assets.storage.hdfs_folders import HdfsFolders
from assess_assets.storage.lake_faults import LakeRefused
from assess_assets.storage.layout import LakeLayout
from assess_assets.storage.protocol import Progress, UpstreamNotReady
from assess_assets.tables.contract import TableContract
from assess_assets.tables.ingest import BUILDS
from assess_assets.tables.registry import TABLES

T = TypeVar("T")

SIDE_BY_SIDE = 8  # customers of a run
MESSAGES_OF_ONE_FILE = 10_000  # 35 MB of them: one core writes that in a tenth of a second


@dataclass(frozen=True)
class Replacement:
    """How one customer's table is to be written: `frame` replaces the rows within `bounds`.

    Without a frame nothing is written: the table is as it should be. `facts` go into the
    metadata of the materialization: of a claim, which is committed before, `changed` too.
    `one_file` is for what is known to have few rows.
    """

    target: Pin
    frame: DataFrame | None = None
    bounds: str = "false"
    facts: Mapping[str, Any] = field(default_factory=dict)
    one_file: bool = False

    def commit(self, evidence: dict[str, Any]) -> None:
        if self.frame is not None:
            delta.replace(self.target, self.frame, self.bounds, evidence, self.one_file)


class CustomersFailed(Exception):
    """Some customers of a run failed; the others were done."""


class PerCustomer(Mapping[str, T]):
    """What a step made, by customer; and for customers that failed, why.

    One poisoned customer does not undo the others: what was made is committed first, and then
    `raise_failures` tells. `failures` is shared by everything that one step made, so a customer
    whose first table could not be written gets none of the following ones.
    """

    def __init__(self, results: dict[str, T], failures: dict[str, Exception]) -> None:
        self._results = results
        self.failures = failures

    def __getitem__(self, customer: str) -> T:
        return self._results[customer]

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)

    def map(self, pick: Callable[[T], Any]) -> "PerCustomer[Any]":
        return PerCustomer({key: pick(value) for key, value in self.items()}, self.failures)

    def raise_failures(self, but: tuple[type[Exception], ...] = ()) -> None:
        failures = {name: why for name, why in self.failures.items() if not isinstance(why, but)}
        if not failures:
            return
        done = len(self._results.keys() - failures.keys())
        if len(failures) == 1 and not done:
            raise next(iter(failures.values()))
        told = "\n".join(f"- {customer}: {error}" for customer, error in failures.items())
        raise CustomersFailed(
            f"{len(failures)} of {len(failures) + done} customers failed; the others were done. "
            f"Run the failed ones again when mended:\n{told}"
        ) from next(iter(failures.values()))


class Replacements(PerCustomer[Replacement]):
    """What an asset returns: how each customer's table is to be written."""


class Lake:
    """Every customer's tables. Holds no state: each question reads the Delta log anew."""

    def __init__(
        self,
        layout: LakeLayout,
        session: Callable[[], SparkSession],
        now: Callable[[], datetime],
        workers: int = SIDE_BY_SIDE,
        folders: HdfsFolders | None = None,
        readers: Callable[[str], str] = lambda customer: customer,
    ) -> None:
        """`workers` serve as many customers at a time; `folders` protects customers' folders where
        the file system can, `readers` is a group."""
        self.layout = layout
        self.now = now
        self._session = session
        self._workers = workers
        self._folders = folders
        self._readers = readers
        self._only_looks = False
        self._seen: dict[tuple[str, str], Pin | None] | None = None

    def for_looking(self) -> "Lake":
        """The same lake for who only looks: a table is neither made nor brought up to date."""
        lake = copy(self)
        lake._only_looks = True
        return lake

    def at_one_moment(self, customer: str) -> "Lake":
        """For looking, at what all of the customer's tables are now, whoever writes meanwhile.

        What is made of others is pinned before them, so these are as far as it is, or further.
        """
        lake = self.for_looking()
        lake._seen = {}
        for table in reversed(TABLES):
            try:
                lake.pin_existing(table, customer)
            except LakeRefused:
                if not table.shared:  # a customer's people may not read that: told when it is asked
                    raise
        return lake

    @property
    def spark(self) -> SparkSession:
        return self._session()

    def pin(self, table: TableContract, customer: str) -> Pin:
        """The table's current version; one that does not exist is made, in a protected folder."""
        uri = self.layout.uri(table, customer)
        if self._only_looks:
            return self.pin_existing(table, customer) or _not_made(table, customer, uri)
        return delta.pin(table, customer, uri, lambda: self._protect_folder(table, customer))

    def pin_existing(self, table: TableContract, customer: str) -> Pin | None:
        """The table's current version, or None: for who only looks."""
        uri = self.layout.uri(table, customer)
        if self._seen is None:
            return delta.pin_existing(table, customer, uri)
        if (table.name, customer) not in self._seen:
            self._seen[table.name, customer] = delta.pin_existing(table, customer, uri)
        return self._seen[table.name, customer]

    def _protect_folder(self, table: TableContract, customer: str) -> None:
        readers = None if table.shared else self._readers(customer)
        if self._folders is not None:
            self._folders.protect(self.layout.folder(table, customer), customer, readers)

    def read(self, pinned: Pin) -> DataFrame:
        return pinned.read(self.spark)

    def progress(self, pinned: Pin) -> Progress:
        """How far the pinned table is; `build` is 0 throughout for a table without builds."""
        build = "build" if "build" in pinned.table.column_names else "0"
        counted = pinned.look_up(
            f"select count(*) as number, min({build}) as lowest, max({build}) as highest, "
            "max(batch) as batch from pinned"
        )[0]
        return Progress(*(value or 0 for value in counted.values()))

    def current_build(self, customer: str, running: Versions, by_any_policy: bool = False) -> Build:
        """The customer's build, read now. Raises OlderCode, PolicyChanged, or UpstreamNotReady.

        Rows may only be written under the build that says what they are made with: after a change,
        `builds` comes first. They may be read whatever the policy (`by_any_policy`).
        """
        pinned = self.pin_existing(BUILDS, customer)
        build = latest_build(pinned) if pinned else None
        if build is None:
            raise UpstreamNotReady(
                f"Customer {customer} has no build yet. Materialize raw_messages and builds first: "
                + update_command(customer)
            )
        if by_any_policy:
            running = running.by_the_policy_of(build.versions)
        refuse_older_code(customer, build, running)
        refuse_changed_policy(customer, build, running)
        changes = running.changes_since(build.versions)
        if changes:
            raise UpstreamNotReady(
                f"Customer {customer}: build {build.number} is from before {'; '.join(changes)}. "
                f"Materialize builds first: {update_command(customer, 'builds*')}"
            )
        return build

    def for_each(self, customers: list[str], step: Callable[[str], T]) -> PerCustomer[T]:
        """Run a step for every customer side by side; a failure stops only its own customer."""
        if len(customers) <= 1:
            outcomes = [self._attempt(step, customer) for customer in customers]
        else:
            with ThreadPoolExecutor(self._workers) as pool:
                outcomes = list(pool.map(lambda customer: self._attempt(step, customer), customers))
        results: dict[str, T] = {}
        failures: dict[str, Exception] = {}
        for customer, (result, error) in zip(customers, outcomes, strict=True):
            if error is None:
                results[customer] = result  # type: ignore[assignment]
            else:
                failures[customer] = error
        return PerCustomer(results, failures)

    def _attempt(
        self, step: Callable[[str], T], customer: str
    ) -> tuple[T | None, Exception | None]:
        try:  # wherever in the step the engine was asked
            with damage_told(customer, self.layout.root), engine_faults(f"Customer {customer}"):
                return step(require_customer_key(customer)), None  # Dagster accepts any text
        except Exception as error:  # kept whole and raised by PerCustomer.raise_failures
            return None, error


def _not_made(table: TableContract, customer: str, uri: str) -> NoReturn:
    raise UpstreamNotReady(
        f"Customer {customer}: table {table.name} ({uri}) has not been made. Materialize it first: "
        + update_command(customer)
    )
