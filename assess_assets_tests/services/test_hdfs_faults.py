"""HDFS fails in the middle of a run: one clear error, and after a rerun the right tables."""

import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pyspark.sql import SparkSession

from assess_assets.platform.hdfs import SUPERUSER, Hdfs
from assess_assets.sample.messy import messy_lines
from assess_assets.storage.lake_faults import LakeFault
from assess_assets_tests.services.running import running_as_platform
from assess_assets_tests.steps import CUSTOMER, Steps

pytestmark = pytest.mark.services
MESSY = "".join(f"{line.text}\n" for line in messy_lines())


@dataclass
class HdfsSteps(Steps):
    """The steps of a run, on a lake of its own on HDFS."""

    @property
    def path(self) -> str:
        return urlsplit(self.lake_uri or "").path


@pytest.fixture(scope="module")
def own_hdfs(java_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hdfs]:
    """For this module alone: it is stopped and killed here."""
    with running_as_platform(Hdfs(tmp_path_factory.mktemp("faulty-hdfs"))) as cluster:
        yield cluster


@pytest.fixture
def acme(own_hdfs: Hdfs, spark: SparkSession, tmp_path: Path) -> HdfsSteps:
    lake = own_hdfs.make_lake(f"/lake-{uuid.uuid4().hex[:8]}")
    steps = HdfsSteps(spark, tmp_path, lake_uri=lake, webhdfs=own_hdfs.uris["ASSESS_WEBHDFS"])
    steps.land("messy.ndjson", MESSY)
    return steps


@pytest.fixture(scope="module")
def undisturbed(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Steps:
    """The same delivery in a local lake, and nothing went wrong."""
    steps = Steps(spark, tmp_path_factory.mktemp("undisturbed"))
    steps.land("messy.ndjson", MESSY)
    steps.run()
    return steps


# The rest is `make faults-services`.
BOUNDARIES = (
    "message_ledger",
    *(
        pytest.param(table, marks=pytest.mark.faults)
        for table in ("source_ranges", "raw_messages", "exam_counts")
    ),
)


@pytest.mark.parametrize("table", BOUNDARIES)
def test_a_run_that_meets_safe_mode_says_so_and_is_finished_by_the_next(
    own_hdfs: Hdfs, acme: HdfsSteps, undisturbed: Steps, table: str
) -> None:
    run = stop_at(acme, table)
    own_hdfs.admin("-safemode", "enter")
    with pytest.raises(LakeFault, match=rf"Customer {CUSTOMER}, table .*safe mode.*run the same"):
        list(run)
    own_hdfs.admin("-safemode", "leave")
    acme.run()
    assert acme.all_rows() == undisturbed.all_rows()


@pytest.mark.parametrize("table", BOUNDARIES)
def test_a_run_over_its_quota_says_so_and_is_finished_by_the_next(
    own_hdfs: Hdfs, acme: HdfsSteps, undisturbed: Steps, table: str
) -> None:
    run = stop_at(acme, table)
    set_quota(own_hdfs, acme, "1000")
    with pytest.raises(LakeFault, match=rf"Customer {CUSTOMER}, table .*quota.*run the same"):
        list(run)
    set_quota(own_hdfs, acme, "-1")
    acme.run()
    assert acme.all_rows() == undisturbed.all_rows()


@pytest.mark.parametrize("table", BOUNDARIES)
def test_a_run_without_a_namenode_says_so_and_is_finished_by_the_next(
    own_hdfs: Hdfs, acme: HdfsSteps, undisturbed: Steps, table: str
) -> None:
    run = stop_at(acme, table)
    own_hdfs.namenode.kill()
    with pytest.raises(LakeFault, match=rf"Customer {CUSTOMER}, table .*NameNode.*run the same"):
        list(run)
    own_hdfs.start()
    acme.run()
    assert acme.all_rows() == undisturbed.all_rows()


def test_a_run_whose_namenode_was_started_again_goes_on_or_is_finished_by_the_next(
    own_hdfs: Hdfs, acme: HdfsSteps, undisturbed: Steps
) -> None:
    run = stop_at(acme, "message_ledger")
    own_hdfs.namenode.kill()
    own_hdfs.start()
    with suppress(LakeFault):
        list(run)
    acme.run()
    assert acme.all_rows() == undisturbed.all_rows()


def test_a_run_that_loses_one_datanode_of_two_is_finished_by_the_next(
    own_hdfs: Hdfs, acme: HdfsSteps, undisturbed: Steps
) -> None:
    run = stop_at(acme, "message_ledger")
    own_hdfs.datanodes[1].kill()
    with suppress(LakeFault):  # until the NameNode misses it, it sends writers there
        list(run)
    own_hdfs.start()
    acme.run()
    assert acme.all_rows() == undisturbed.all_rows()


@pytest.mark.parametrize("table", BOUNDARIES)
def test_a_run_without_datanodes_says_so_and_is_finished_by_the_next(
    own_hdfs: Hdfs, acme: HdfsSteps, undisturbed: Steps, table: str
) -> None:
    run = stop_at(acme, table)
    for datanode in own_hdfs.datanodes:
        datanode.kill()
    with pytest.raises(LakeFault, match=rf"Customer {CUSTOMER}, table .*DataNode.*run the same"):
        list(run)
    own_hdfs.start()
    acme.run()
    assert acme.all_rows() == undisturbed.all_rows()


def stop_at(steps: HdfsSteps, table: str) -> Iterator[str]:
    """A run, held just before it commits that table."""
    run = steps.pauses()
    for name in run:
        if name == table:
            return run
    raise AssertionError(f"the run does not write {table}")


def set_quota(hdfs: Hdfs, steps: HdfsSteps, size: str) -> None:
    options = {"namespacequota": "-1", "storagespacequota": size}
    hdfs.ask("PUT", steps.path, "SETQUOTA", user=SUPERUSER, **options)
