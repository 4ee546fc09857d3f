"""A run for a range of customers: who fails is named and left as it was; the others are done."""

import shutil
import subprocess
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from assess_assets.storage import delta
from assess_assets.storage.delta import LostRace, Pin
from assess_assets.storage.set_aside import set_aside_in
from assess_assets.tables.fates import MESSAGE_LEDGER
from assess_assets_tests import crowded_engine
from assess_assets_tests.conftest import Platform, instance_in
from assess_assets_tests.crowded_engine import FILES, LINES
from assess_assets_tests.deliveries import lines, message

POISONED = "globex"
OTHERS = {"acme", "initech"}
CUSTOMERS = ("acme", POISONED, "initech")
STEPS_AFTER_PARSING = {"questions", "options", "exams", "exam_counts", "exam_performance"}


@pytest.fixture(scope="module")
def after_first_files(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Path:
    """Three customers that have a batch each, and the Dagster instance that made them."""
    folder = tmp_path_factory.mktemp("three")
    with instance_in(folder / "home") as instance:
        platform = Platform(folder, instance)
        for customer in CUSTOMERS:
            platform.land(customer, "first.ndjson", lines(message("1"), message("2")))
        assert run_all(platform).success
    return folder


@pytest.fixture
def three(after_first_files: Path, tmp_path: Path) -> Iterator[Platform]:
    """A copy of them, with a second file delivered since."""
    folder = tmp_path / "three"
    shutil.copytree(after_first_files, folder)
    with instance_in(folder / "home") as instance:
        platform = Platform(folder, instance)
        for customer in CUSTOMERS:
            platform.land(customer, "second.ndjson", lines(message("3"), message("1")))
        yield platform


def run_all(platform: Platform) -> dg.JobExecutionResult:
    return platform.materialize_range(CUSTOMERS[0], CUSTOMERS[-1])


def run_again_from_failure(
    platform: Platform, failed: dg.JobExecutionResult
) -> dg.JobExecutionResult:
    """As the UI's button and Dagster's daemon do: the new run gets the tags of the old one."""
    run = platform.instance.get_run_by_id(failed.run_id)
    assert run is not None
    return dg.execute_job(
        dg.build_reconstructable_job(
            "assess_assets_tests.conftest", "job_of", (platform.settings.model_dump_json(),)
        ),
        instance=platform.instance,
        tags=run.tags,
        reexecution_options=dg.ReexecutionOptions.from_failure(run.run_id, platform.instance),
    )


def materialized(result: dg.JobExecutionResult) -> Mapping[str, set[str | None]]:
    """The partitions that a run says it has made, by asset."""
    made: defaultdict[str, set[str | None]] = defaultdict(set)
    for event in result.all_events:
        if event.event_type_value == "ASSET_MATERIALIZATION" and event.asset_key:
            made[event.asset_key.to_user_string()].add(event.partition)
    return made


def why_set_aside(platform: Platform, result: dg.JobExecutionResult) -> dict[str, str]:
    return set_aside_in(platform.instance, result.run_id)


def assert_others_are_done(platform: Platform, result: dg.JobExecutionResult) -> None:
    made = materialized(result)
    assert {"source_ranges", "message_ledger", "options", "customer_report"} <= set(made)
    assert all(partitions >= OTHERS for partitions in made.values())
    for customer in OTHERS:
        assert platform.rows("message_ledger", customer, "batch", "fate") == [
            {"batch": 1, "fate": "accepted"},
            {"batch": 1, "fate": "accepted"},
            {"batch": 2, "fate": "accepted"},
            {"batch": 2, "fate": "duplicate"},
        ]
        (exam,) = platform.rows("exam_counts", customer, "messages", "attempts", "batch")
        assert exam == {"messages": 4, "attempts": 3, "batch": 2}


def test_a_customer_that_cannot_be_landed_is_left_as_it_was(three: Platform) -> None:
    before = three.versions(POISONED)
    first = three.settings.landing / POISONED / "first.ndjson"
    kept = first.read_bytes()
    first.write_text(lines(message("something else")))

    result = run_all(three)

    assert not result.success
    assert_others_are_done(three, result)
    assert all(partitions == OTHERS for partitions in materialized(result).values())
    after = three.versions(POISONED)
    assert {name for name in after if after[name] != before[name]} == {"customer_overview"}
    (reason,) = why_set_aside(three, result).values()
    assert reason.startswith("land_messages: ")
    assert "first.ndjson" in reason
    last = result.failure_data_for_node("customer_report")
    assert last is not None
    assert last.error is not None
    assert "1 of 3 customers failed" in last.error.to_string()
    assert "- globex: set aside in this run: land_messages" in last.error.to_string()

    first.write_bytes(kept)
    assert three.materialize(POISONED).success
    assert three.rows("exam_counts", POISONED) == three.rows("exam_counts", "acme")


def test_a_customer_whose_table_cannot_be_written_gets_none_of_those_after_it(
    three: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = delta.replace

    def fail(target: Pin, *arguments: object) -> None:
        if (target.customer, target.table.name) == (POISONED, "conflicting_assessments"):
            raise LostRace("the disk is gone")
        write(target, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(delta, "replace", fail)
    result = run_all(three)
    monkeypatch.undo()

    assert_others_are_done(three, result)
    made = materialized(result)
    assert made["assessments"] == made["quarantined_messages"] == {*OTHERS, POISONED}
    assert made["conflicting_assessments"] == made["message_ledger"] == OTHERS
    assert made["questions"] == made["exam_counts"] == made["customer_report"] == OTHERS
    assert {row["batch"] for row in three.rows("message_ledger", POISONED)} == {1}
    assert why_set_aside(three, result) == {POISONED: "parse_messages: the disk is gone"}

    assert run_all(three).success
    assert three.rows("message_ledger", POISONED) == three.rows("message_ledger", "acme")


def test_a_check_that_blocks_one_customer_lets_the_others_through(three: Platform) -> None:
    uri = three.lake.layout.uri(MESSAGE_LEDGER, POISONED)
    DeltaTable(uri).delete("offset = 0")

    result = run_all(three)

    assert not result.success
    assert_others_are_done(three, result)
    made = materialized(result)
    assert made["message_ledger"] == {*OTHERS, POISONED}
    assert all(made[step] == OTHERS for step in STEPS_AFTER_PARSING)
    assert {row["batch"] for row in three.rows("questions", POISONED)} == {1}
    assert why_set_aside(three, result)[POISONED].startswith("check_")


def test_re_executing_from_failure_serves_whom_the_run_before_set_aside(three: Platform) -> None:
    three.land(POISONED, "third.ndjson", lines(message("4"), *["not JSON"] * 3))
    failed = run_all(three)
    (reason,) = why_set_aside(three, failed).values()
    assert reason.startswith("check_message_ledger: ")
    tolerant = three.folder / "policies.toml"
    tolerant.write_text(f"[customers.{POISONED}]\nmax_quarantine_share = 1.0\n")
    three.with_settings(policies=tolerant)

    mended = run_again_from_failure(three, failed)

    assert mended.success
    assert why_set_aside(three, mended) == {}
    assert {"questions", "customer_report"} <= materialized(mended).keys()
    assert three.rows("exam_counts", POISONED, "messages", "attempts", "batch") == [
        {"messages": 5, "attempts": 4, "batch": 2}
    ]


def test_a_partition_that_is_no_key_stops_nobody_else_in_its_range(platform: Platform) -> None:
    platform.land("acme", "a.ndjson", lines(message("a")))
    platform.register("Globex Inc")
    result = platform.materialize_range("acme", "Globex Inc")
    assert not result.success
    assert set().union(*materialized(result).values()) == {"acme"}
    assert "customer_report" in materialized(result)
    assert platform.rows("exam_counts", "acme", "attempts") == [{"attempts": 1}]
    assert list(why_set_aside(platform, result)) == ["Globex Inc"]


def test_when_every_customer_fails_nothing_follows(three: Platform) -> None:
    for customer in CUSTOMERS:
        (three.settings.landing / customer / "first.ndjson").write_text(lines(message("x")))
    result = run_all(three)
    assert not result.success
    started = {e.step_key for e in result.all_events if e.event_type_value == "STEP_START"}
    assert started == {"land_messages", "lake_maintenance"}
    failure = result.failure_data_for_node("land_messages")
    assert failure is not None
    assert failure.error is not None
    assert all(f"- {customer}: " in failure.error.to_string() for customer in CUSTOMERS)


@pytest.mark.parametrize("table", ["raw_messages", "conflicting_assessments", "message_ledger"])
def test_when_no_customers_table_can_be_written_the_run_ends(
    three: Platform, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """It waited for ever: a check of a table that was stored before "succeeded" for nobody."""
    write = delta.replace

    def fail(target: Pin, *arguments: object) -> None:
        if target.table.name == table:
            raise LostRace("the disk is gone")
        write(target, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(delta, "replace", fail)
    with ThreadPoolExecutor(1) as thread:
        result = thread.submit(run_all, three).result(timeout=300)  # a busy machine is slow, too
    monkeypatch.undo()

    assert not result.success
    assert set(why_set_aside(three, result)) == set(CUSTOMERS)
    assert not materialized(result).keys() & STEPS_AFTER_PARSING
    assert run_all(three).success
    assert three.rows("message_ledger", POISONED) == three.rows("message_ledger", "acme")


def test_every_step_that_starts_says_that_a_reversed_range_holds_nobody(
    platform: Platform,
) -> None:
    platform.register(*CUSTOMERS)
    result = platform.materialize_range(CUSTOMERS[-1], CUSTOMERS[0])
    failures = {
        event.step_key: event.step_failure_data.error
        for event in result.all_events
        if event.is_step_failure
    }
    assert set(failures) == {"land_messages", "lake_maintenance"}
    for error in failures.values():
        assert error is not None
        assert "holds no customer" in error.to_string()


def test_many_customers_who_land_many_files_at_once_do_not_stand_still(tmp_path: Path) -> None:
    """They did, every time, when there were more of them than Sail had workers (SAIL_WORKERS)."""
    program = [sys.executable, "-W", "ignore", "-m", "assess_assets_tests.crowded_engine"]
    done = subprocess.run([*program, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str([FILES * LINES] * len(crowded_engine.CUSTOMERS))


def test_dagster_still_materializes_every_partition_of_a_range() -> None:
    """When this fails, an output can name its partitions: remove storage/done_partitions.py."""
    keys = dg.StaticPartitionsDefinition(["a", "b"])

    class OnlyA(dg.IOManager):
        def load_input(self, context: dg.InputContext) -> None: ...

        def handle_output(self, context: dg.OutputContext, obj: object) -> None:
            context.step_context.add_asset_metadata({"rows": 1}, "numbers", "a")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)

        @dg.asset(partitions_def=keys, backfill_policy=dg.BackfillPolicy.single_run())
        def numbers() -> int:
            return 1

    tags = {"dagster/asset_partition_range_start": "a", "dagster/asset_partition_range_end": "b"}
    with dg.DagsterInstance.ephemeral() as instance:
        made = dg.Definitions(assets=[numbers], resources={"io_manager": OnlyA()})
        job = made.resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(instance=instance, tags=tags)
        events = result.asset_materializations_for_node("numbers")
    assert {event.partition for event in events} == {"a", "b"}
