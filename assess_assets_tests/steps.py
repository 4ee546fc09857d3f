"""One customer's whole run without Dagster, which can be stopped before any commit.

Belongs here: driving the step functions, and comparing what they wrote. Does not: any assertion
about what is right, which is the tests' business, and Dagster, which `conftest.Platform` runs.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder
from pyspark.sql import DataFrame, SparkSession

from assess_assets.assets.aggregating import Frames, aggregate_customer
from assess_assets.assets.assessments import parse_customer
from assess_assets.assets.builds import claim_if_changed, claim_rebuild, running_versions
from assess_assets.assets.exploding import explode_customer
from assess_assets.assets.raw_messages import land_customer
from assess_assets.customers import CustomerPolicy
from assess_assets.platform.hdfs import PLATFORM_USER
from assess_assets.sources.batches import Sources
from assess_assets.sources.kafka_config import KafkaConfig
from assess_assets.storage.hdfs_folders import HdfsFolders
from assess_assets.storage.io_manager import Tables
from assess_assets.storage.lake import Lake, Replacement
from assess_assets.storage.layout import LakeLayout
from assess_assets.tables.attempts import ASSESSMENTS
from assess_assets.tables.contract import TableContract
from assess_assets.tables.detail import OPTIONS, QUESTIONS
from assess_assets.tables.exams import EXAM_COUNTS, EXAMS
from assess_assets.tables.ingest import BUILDS, RAW_MESSAGES, SOURCE_RANGES
from assess_assets.tables.performance import EXAM_PERFORMANCE, QUESTION_DIFFICULTY
from assess_assets.tables.registry import table_named
from assess_assets.transforms.attempts import count_messages
from assess_assets.transforms.exam_counts import count_exams
from assess_assets.transforms.exam_performance import measure_exams
from assess_assets.transforms.exams import summarize_exams
from assess_assets.transforms.options import explode_options
from assess_assets.transforms.question_difficulty import rank_questions
from assess_assets.transforms.questions import explode_questions

CUSTOMER = "acme"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
EXPLODED = ((QUESTIONS, explode_questions), (OPTIONS, explode_options))


def _attempts(frames: Frames) -> DataFrame:
    return count_messages(frames["assessments"], frames["message_ledger"])


AGGREGATED: tuple[tuple[TableContract, Callable[[Frames], DataFrame], tuple[str, ...]], ...] = (
    (
        EXAMS,
        lambda frames: summarize_exams(_attempts(frames), frames["questions"]),
        ("assessments", "message_ledger", "questions"),
    ),
    (EXAM_COUNTS, lambda frames: count_exams(_attempts(frames)), ("assessments", "message_ledger")),
    (
        EXAM_PERFORMANCE,
        lambda frames: measure_exams(_attempts(frames)),
        ("assessments", "message_ledger"),
    ),
    (
        QUESTION_DIFFICULTY,
        lambda frames: rank_questions(frames["questions"]),
        ("assessments", "questions"),
    ),
)
PARSED = ("assessments", "quarantined_messages", "conflicting_assessments", "message_ledger")
MADE = (*PARSED, "questions", "options", *(table.name for table, _, _ in AGGREGATED))
WRITTEN = (SOURCE_RANGES.name, RAW_MESSAGES.name, BUILDS.name, *MADE)


def sample(cases: Sequence[str]) -> Sequence[str]:
    """All of them on Sail; on Apache Spark, where a run takes twenty times as long, every third."""
    return cases if os.environ.get("ASSESS_SPARK", "sail") == "sail" else cases[1::3]


@dataclass
class Steps:
    """A customer's lake and landing folder; `run` does what a Dagster run of everything does."""

    spark: SparkSession
    folder: Path
    policy: CustomerPolicy = field(default_factory=lambda: CustomerPolicy.model_validate({}))
    max_messages: int = 1_000_000
    customer: str = CUSTOMER
    landing: Path = field(init=False)
    now: Callable[[], datetime] = lambda: NOON
    lake_uri: str | None = None  # hdfs://..., for a lake that is not in `folder`
    webhdfs: str | None = None  # then customers' folders are protected
    kafka: KafkaConfig | None = None

    def __post_init__(self) -> None:
        self.landing = self.folder / "landing" / self.customer

    @property
    def lake(self) -> Lake:
        folders = HdfsFolders(self.webhdfs, PLATFORM_USER) if self.webhdfs else None
        return Lake(self.layout, lambda: self.spark, lambda: self.now(), folders=folders)

    @property
    def layout(self) -> LakeLayout:
        return LakeLayout.of(self.lake_uri or str(self.folder / "lake"))

    @property
    def sources(self) -> Sources:
        return Sources(self.customer, self.landing, self.kafka)

    def land(self, name: str, content: bytes | str) -> Path:
        """Deliver a file; all have the same time, so that lakes can be compared."""
        self.landing.mkdir(parents=True, exist_ok=True)
        path = self.landing / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(path, (NOON.timestamp(), NOON.timestamp()))
        return path

    def copy(self, folder: Path) -> "Steps":
        """The same customer as it is now, in a lake and landing folder of its own."""
        shutil.copytree(self.folder, folder)
        copied = replace(self)
        copied.folder = folder
        copied.landing = folder / "landing" / self.customer
        return copied

    def run(self) -> list[str]:
        """Everything once; names the tables in the order in which they were written."""
        return list(self.pauses())

    def stop_before(self, table: str) -> str:
        """Run, and crash just before that table is written; names it."""
        for name in self.pauses():
            if name == table:
                return name
        raise ValueError(f"the run does not write {table}")

    def pauses(self) -> Iterator[str]:
        """Run everything, pausing before each commit: what is to be written has been decided.

        The exceptions are the two claims, which decide and commit in one call: before it.
        """
        yield from self.pauses_of_judging()
        for table, explode in EXPLODED:
            yield from self.explode(table, explode)
        for table, make, upstream in AGGREGATED:
            yield from self.aggregate(table, make, upstream)

    def judge(self) -> list[str]:
        """Run as far as the ledger: half of a run's commits, and enough for tests of fates."""
        return list(self.pauses_of_judging())

    def pauses_of_judging(self) -> Iterator[str]:
        yield SOURCE_RANGES.name
        landed = land_customer(self.lake, self.sources, self.max_messages, "run")
        yield from _commit(RAW_MESSAGES.name, landed.messages)
        yield BUILDS.name
        claim_if_changed(self.lake, self.customer, running_versions(self.policy), "run")
        yield from self.parse()

    def parse(self) -> Iterator[str]:
        parsed = parse_customer(self.lake, self.customer, self.policy, self._tables(RAW_MESSAGES))
        for name, replacement in parsed.items():
            yield from _commit(name, replacement)

    def explode(
        self, table: TableContract, explode: Callable[[DataFrame], DataFrame]
    ) -> Iterator[str]:
        upstream = self._tables(ASSESSMENTS)
        made = explode_customer(self.lake, self.customer, self.policy, table, explode, upstream)
        yield from _commit(table.name, made)

    def aggregate(
        self,
        table: TableContract,
        make: Callable[[Frames], DataFrame],
        upstream: tuple[str, ...],
    ) -> Iterator[str]:
        tables = {name: self._tables(table_named(name)) for name in upstream}
        made = aggregate_customer(self.lake, self.customer, self.policy, table, make, tables)
        yield from _commit(table.name, made)

    def aggregate_named(self, table: str) -> Iterator[str]:
        """One of the aggregates alone."""
        for contract, make, upstream in AGGREGATED:
            if contract.name == table:
                yield from self.aggregate(contract, make, upstream)

    def claim_rebuild(self, reason: str = "asked for") -> int:
        versions = running_versions(self.policy)
        return claim_rebuild(self.lake, self.customer, versions, reason, "run")

    def uri(self, table: str) -> str:
        return self.layout.uri(table_named(table), self.customer)

    def empty(self, table: str) -> None:
        """What an operator should not do by hand."""
        DeltaTable(self.uri(table)).delete()

    def rows(self, table: str, *columns: str) -> list[dict[str, Any]]:
        """The rows in the order of the contract, read without the engine."""
        return rows_of(self.uri(table), table, *columns)

    def values(self, table: str, column: str) -> list[Any]:
        return [row[column] for row in self.rows(table, column)]

    def all_rows(self, *ignored: str) -> dict[str, list[dict[str, Any]]]:
        """All rows of all tables but without some columns: compare two lakes by it."""
        return {name: self.comparable(name, *ignored) for name in WRITTEN}

    def comparable(self, table: str, *ignored: str) -> list[dict[str, Any]]:
        """Rows with means to nine digits: an engine adds up in an order of its own."""
        return [
            {
                column: round(value, 9) if isinstance(value, float) else value
                for column, value in row.items()
                if column not in ignored
            }
            for row in self.rows(table)
        ]

    def versions(self) -> dict[str, int]:
        return {name: DeltaTable(self.uri(name)).version() for name in WRITTEN}

    def fates(self) -> list[str]:
        """The fate of each message, in the order of arrival."""
        return self.values("message_ledger", "fate")

    def _tables(self, table: TableContract) -> Tables:
        return Tables(self.lake, table)


def _commit(name: str, replacement: Replacement) -> Iterator[str]:
    if replacement.frame is not None:
        yield name
        replacement.commit({"run_id": "run"})


def rows_of(uri: str, table: str, *columns: str) -> list[dict[str, Any]]:
    """A table's current rows in the order of its contract, read without any engine."""
    contract = table_named(table)
    query = QueryBuilder().register("t", DeltaTable(uri)).execute("select * from t")
    rows: list[dict[str, Any]] = pa.table(query.read_all()).to_pylist()
    order = [*contract.order, *contract.key]
    rows.sort(key=lambda row: [(row[name] is None, row[name]) for name in order])
    return [{name: row[name] for name in columns or contract.column_names} for row in rows]
