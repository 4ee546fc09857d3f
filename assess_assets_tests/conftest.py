"""Fixtures that every test may use: one engine a process, a lake of its own for each test.

The engine is ASSESS_SPARK's: Sail without it; `make test-spark` runs the engine tests on Spark.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from hypothesis import settings
from pyspark.sql import SparkSession

from assess_assets.assets.snapshots import read_frames, read_watermark
from assess_assets.customers import Policies
from assess_assets.dagster_storage import QuickSqliteStorage
from assess_assets.definitions import build_definitions
from assess_assets.resources.lake import LakeResource
from assess_assets.resources.spark import SparkEngine
from assess_assets.settings import Settings
from assess_assets.storage.io_manager import Tables
from assess_assets.storage.lake import Lake
from assess_assets.tables.registry import table_named
from assess_assets.transforms.answers.answer import Answers
from assess_assets.transforms.answers.answering import answer_customer
from assess_assets.transforms.answers.figures import TABLES_READ

# A machine that is busy is not a failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

ENGINE = os.environ.get("ASSESS_SPARK", "sail")


@pytest.fixture(scope="session")
def spark() -> SparkSession:
    """The engine's one session."""
    return SparkEngine(url=ENGINE).session


@dataclass
class Platform:
    """A whole deployment in a temporary folder: landing, lake and Dagster instance."""

    folder: Path
    instance: dg.DagsterInstance
    settings: Settings = field(init=False)

    def __post_init__(self) -> None:
        self.settings = Settings(
            lake=str(self.folder / "lake"),
            landing=self.folder / "landing",
            spark=ENGINE,
            max_messages_per_run=1_000_000,
        )

    def with_settings(self, **changes: Any) -> None:
        self.settings = self.settings.model_copy(update=changes)

    def land(self, customer: str, name: str, content: bytes | str) -> Path:
        """Deliver a file."""
        folder = self.settings.landing / customer
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        self.register(customer)
        return folder / name

    def register(self, *customers: str) -> None:
        self.instance.add_dynamic_partitions("customers", list(customers))

    @property
    def lake(self) -> Lake:
        return LakeResource.from_settings(self.settings, SparkEngine(url=ENGINE)).lake

    def materialize(
        self,
        customer: str,
        *,
        select: Sequence[str] | None = None,
        raise_on_error: bool = True,
    ) -> dg.ExecuteInProcessResult:
        """Run every asset and check for one customer, as one run; `select` names some of them."""
        job = build_definitions(self.settings).resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            instance=self.instance,
            partition_key=customer,
            raise_on_error=raise_on_error,
            asset_selection=[dg.AssetKey(name) for name in select] if select else None,
        )

    def materialize_range(self, first: str, last: str) -> dg.JobExecutionResult:
        """Run everything for a range of customers, in one run, with the executor that users have.

        `execute_in_process` has another, that knows nothing of our settings.
        """
        return dg.execute_job(
            dg.build_reconstructable_job(
                "assess_assets_tests.conftest",
                "job_of",
                reconstructable_args=(self.settings.model_dump_json(),),
            ),
            instance=self.instance,
            tags={
                "dagster/asset_partition_range_start": first,
                "dagster/asset_partition_range_end": last,
            },
        )

    def rows(self, table: str, customer: str, *columns: str) -> list[dict[str, Any]]:
        """All rows of a table, in the order of its contract."""
        contract = table_named(table)
        frame = self.lake.read(self.lake.pin(contract, customer)).orderBy(*contract.order)
        picked = frame.select(*columns) if columns else frame
        return [row.asDict(recursive=True) for row in picked.collect()]

    def answers(self, customer: str, exam: str | None = None) -> Answers:
        """What is answered about a customer, from its tables as they are."""
        lake = self.lake
        upto = read_watermark(lake, customer, Policies.load(None).of(customer))
        upstream = {name: Tables(lake, table_named(name)) for name in TABLES_READ}
        frames = read_frames(lake, upto, upstream)
        return answer_customer(customer, upto.build, upto.batch, frames, exam)

    def versions(self, customer: str) -> dict[str, int]:
        """The Delta version of each of a customer's tables."""
        from assess_assets.tables.registry import TABLES

        return {table.name: self.lake.pin(table, customer).version for table in TABLES}


def instance_in(home: Path) -> dg.DagsterInstance:
    """Dagster's instance in a folder, for tests that copy it or share it with other processes.

    With the product's storage: a run takes half as long as with Dagster's own. What steps print is
    not captured, for which Dagster would start four processes a step.
    """
    home.mkdir(exist_ok=True)
    config = {
        "storage": {
            "custom": {
                "module": QuickSqliteStorage.__module__,
                "class": QuickSqliteStorage.__name__,
                "config": {"base_dir": str(home)},
            }
        },
        "compute_logs": {
            "module": NoOpComputeLogManager.__module__,
            "class": NoOpComputeLogManager.__name__,
        },
        "telemetry": {"enabled": False},
    }
    (home / "dagster.yaml").write_text(json.dumps(config))  # JSON is YAML
    return dg.DagsterInstance.from_config(str(home))


def job_of(settings: str) -> dg.JobDefinition:
    """A job that materializes and checks everything, under these settings."""
    everything = dg.AssetSelection.all()
    job = dg.define_asset_job("everything", everything)
    made = build_definitions(Settings.model_validate_json(settings))
    return dg.Definitions.merge(made, dg.Definitions(jobs=[job])).resolve_job_def("everything")


@pytest.fixture
def platform(tmp_path: Path, spark: SparkSession) -> Iterator[Platform]:
    """An empty platform; `spark` is there so that its start is not part of any one test."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Platform(tmp_path, instance)
