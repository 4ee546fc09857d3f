"""Maintenance: fewer files, no leftovers, and not a row, a watermark or a reader disturbed.

Belongs here: what `lake_maintenance` does, and runs before, during and after it.
"""

import json
import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.schedule_definition import ScheduleExecutionData
from deltalake import DeltaTable, write_deltalake
from pydantic import ValidationError
from pyspark.sql import SparkSession

from assess_assets.assets.lake_maintenance import keep_tables
from assess_assets.automation.schedule import weekly_maintenance
from assess_assets.definitions import build_definitions
from assess_assets.storage.delta import LostRace
from assess_assets.storage.maintenance import Kept, Upkeep, compact, keep
from assess_assets.storage.sandbox import customer_sql, query
from assess_assets.tables.ingest import BUILDS
from assess_assets.tables.registry import table_named
from assess_assets_tests.conftest import Platform, instance_in
from assess_assets_tests.deliveries import lines, message, of_every_fate
from assess_assets_tests.steps import CUSTOMER, WRITTEN, Steps, sample

WEEK = timedelta(days=7)
COMPACT_ALL = Upkeep(max_small_files=1, target_bytes=2**27, retention=WEEK)
SEVERAL_FILES = {"source_ranges", "raw_messages", "assessments", "message_ledger", "questions"}
OLD = 30 * 24 * 3600  # seconds


def keep_all(steps: Steps) -> dict[str, Kept]:
    return {kept.table: kept for kept in keep_tables(steps.lake, CUSTOMER, COMPACT_ALL)}


@pytest.fixture(scope="module")
def grown(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Steps:
    """Three batches, and a fourth that landed and was not read yet."""
    steps = Steps(spark, tmp_path_factory.mktemp("grown"))
    for name in "xyz":
        steps.land(f"{name}.ndjson", lines(*of_every_fate(name)))
        steps.run()
    steps.land("later.ndjson", lines(*of_every_fate("later"), message("xa"), message("ya", 2)))
    return steps


@pytest.fixture
def acme(grown: Steps, tmp_path: Path) -> Steps:
    return grown.copy(tmp_path / "acme")


@pytest.fixture(scope="module")
def undisturbed(grown: Steps, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the fourth batch makes of it without any maintenance."""
    steps = grown.copy(tmp_path_factory.mktemp("undisturbed") / "acme")
    steps.run()
    return steps.all_rows()


def test_maintenance_makes_files_few_and_keeps_every_row(acme: Steps) -> None:
    rows, versions = acme.all_rows(), acme.versions()
    done = keep_all(acme)
    assert acme.all_rows() == rows
    compacted = {name for name, kept in done.items() if kept.files < kept.files_before}
    assert compacted >= SEVERAL_FILES
    assert {name for name in WRITTEN if acme.versions()[name] > versions[name]} == compacted
    assert {done[name].files for name in compacted} == {1}
    assert not any(kept.lost_race for kept in done.values())


def test_analysts_query_compacted_tables_as_before(acme: Steps) -> None:
    asked = """select m.fate, count(*) as n from message_ledger m join raw_messages r
               on r.source = m.source and r.offset = m.offset
               where m.source = 'x.ndjson' and m.fate <> 'conflict' group by m.fate order by 1"""

    def answer() -> list[dict[str, Any]]:
        with customer_sql(acme.lake.layout, CUSTOMER) as session:
            rows: list[dict[str, Any]] = query(session, asked).to_pylist()
            return rows

    before = answer()
    keep_all(acme)
    assert answer() == before
    assert len(before) == 3


def test_maintenance_done_twice_changes_nothing_more(acme: Steps) -> None:
    keep_all(acme)
    versions = acme.versions()
    again = keep_all(acme)
    assert acme.versions() == versions
    assert all(kept.version == kept.version_before for kept in again.values())


def test_tables_of_few_files_are_left_alone(acme: Steps) -> None:
    versions = acme.versions()
    keep_tables(acme.lake, CUSTOMER, Upkeep(10, 2**27, WEEK))
    assert acme.versions() == versions


def test_a_run_after_maintenance_goes_on_where_the_last_one_ended(
    acme: Steps, undisturbed: dict[str, Any]
) -> None:
    keep_all(acme)
    assert acme.run()[:2] == ["source_ranges", "raw_messages"]
    assert acme.all_rows() == undisturbed
    keep_all(acme)
    versions = acme.versions()
    acme.run()
    assert acme.versions() == versions, "maintenance is no news"


def test_a_rebuild_after_maintenance_makes_the_same_rows(
    acme: Steps, undisturbed: dict[str, Any]
) -> None:
    acme.run()
    keep_all(acme)
    acme.claim_rebuild()
    acme.run()
    made = acme.all_rows("build")
    expected = {
        table: [{k: v for k, v in row.items() if k != "build"} for row in rows]
        for table, rows in undisturbed.items()
    }
    assert {name: rows for name, rows in made.items() if name != BUILDS.name} == {
        name: rows for name, rows in expected.items() if name != BUILDS.name
    }


@pytest.mark.parametrize(
    "table", sample(["raw_messages", "assessments", "message_ledger", "questions", "exam_counts"])
)
def test_a_crash_and_then_maintenance_are_finished_by_the_next_run(
    table: str, acme: Steps, undisturbed: dict[str, Any]
) -> None:
    acme.stop_before(table)
    keep_all(acme)
    acme.run()
    assert acme.all_rows() == undisturbed


@pytest.mark.parametrize("table", ["raw_messages", "message_ledger", "exams"])
def test_a_run_that_maintenance_overtakes_is_refused_and_runs_again(
    table: str, acme: Steps, undisturbed: dict[str, Any]
) -> None:
    run = acme.pauses()
    assert any(name == table for name in run)
    split(acme, table)
    assert keep_all(acme)[table].files == 1
    with pytest.raises(LostRace, match=f"table {table} "):
        next(run)
    acme.run()
    assert acme.all_rows() == undisturbed


def split(steps: Steps, table: str) -> None:
    """Have at least two files in a table, by one more commit that changes no row."""
    log = DeltaTable(steps.uri(table))
    if len(log.file_uris()) > 1:
        return
    whole = log.to_pyarrow_table()
    write_deltalake(log, whole.slice(0, 1), mode="overwrite")
    write_deltalake(log, whole.slice(1), mode="append")


def test_a_compaction_that_a_run_came_before_changes_nothing_and_says_so(acme: Steps) -> None:
    split(acme, "exams")
    opened = DeltaTable(acme.uri("exams"))
    acme.run()
    rows = acme.rows("exams")
    assert not compact(opened, COMPACT_ALL)
    assert acme.rows("exams") == rows


def test_a_compaction_keeps_what_was_claimed_meanwhile(acme: Steps) -> None:
    acme.claim_rebuild()
    opened = DeltaTable(acme.uri("builds"))
    acme.claim_rebuild()
    rows = acme.rows("builds")
    assert compact(opened, COMPACT_ALL)
    assert acme.rows("builds") == rows
    assert len(rows) == 3
    assert len(DeltaTable(acme.uri("builds")).file_uris()) == 2


def test_a_reader_of_an_earlier_version_keeps_its_files(acme: Steps) -> None:
    pinned = {name: acme.lake.pin(table_named(name), CUSTOMER) for name in SEVERAL_FILES}
    rows = {name: acme.rows(name) for name in SEVERAL_FILES}
    for name in SEVERAL_FILES:  # old files, which no version has any more since just now
        for file in files_of(acme, name):
            age(file)
    keep_all(acme)
    for name, pin in pinned.items():
        assert pin.look_up("select count(*) as n from pinned") == [{"n": len(rows[name])}]
        assert acme.lake.read(pin).count() == len(rows[name])


def test_leftovers_of_a_dead_commit_go_when_they_are_older_than_the_retention(acme: Steps) -> None:
    some = files_of(acme, "assessments")[0]
    old, young = some.with_name("part-00000-old.parquet"), some.with_name("part-00000-new.parquet")
    for leftover in (old, young):
        shutil.copy(some, leftover)
    age(old)
    rows, size = acme.rows("assessments"), old.stat().st_size
    kept = keep_all(acme)["assessments"]
    assert (kept.files_removed, kept.bytes_freed) == (1, size)
    assert not old.exists()
    assert young.exists(), "a run may be about to commit it"
    assert acme.rows("assessments") == rows


def test_files_that_no_version_has_had_for_long_are_removed(acme: Steps) -> None:
    before = set(files_of(acme, "questions"))
    keep_all(acme)
    assert before <= set(files_of(acme, "questions"))
    age_tombstones(acme, "questions")
    rows = acme.rows("questions")
    kept = keep_all(acme)["questions"]
    assert kept.files_removed == len(before)
    assert kept.bytes_freed > 0
    assert not before & set(files_of(acme, "questions"))
    assert acme.rows("questions") == rows
    assert keep_all(acme)["questions"].version == kept.version


def files_of(steps: Steps, table: str) -> list[Path]:
    return sorted(Path(steps.uri(table).removeprefix("file://")).glob("*.parquet"))


def age(file: Path) -> None:
    past = time.time() - OLD
    os.utime(file, (past, past))


def age_tombstones(steps: Steps, table: str) -> None:
    """As if files had been taken out of the table long ago."""
    log = Path(steps.uri(table).removeprefix("file://")) / "_delta_log"
    for commit in log.glob("*.json"):
        actions = [json.loads(line) for line in commit.read_text().splitlines()]
        for action in actions:
            if "remove" in action:
                action["remove"]["deletionTimestamp"] -= OLD * 1000
        commit.write_text("\n".join(map(json.dumps, actions)))


def maintain(platform: Platform, **tags: str) -> dg.ExecuteInProcessResult:
    """Materialize lake_maintenance alone, with a limit of one file."""
    job = build_definitions(platform.settings).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=platform.instance,
        asset_selection=[dg.AssetKey("lake_maintenance")],
        run_config={"ops": {"lake_maintenance": {"config": {"max_small_files": 1}}}},
        tags=tags,
    )


def told(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    """The metadata of each customer's materialization."""
    return {
        event.partition or "": {
            name: value.value for name, value in event.materialization.metadata.items()
        }
        for event in result.get_asset_materialization_events()
    }


def test_it_is_an_asset_that_reports_what_it_did(platform: Platform) -> None:
    for name in ("a", "b"):
        platform.land("globex", f"{name}.ndjson", lines(*(message(f"{name}{i}") for i in range(3))))
        assert platform.materialize("globex").success
    platform.register("nobody")
    versions = platform.versions("globex")
    reported = told(
        maintain(
            platform,
            **{
                "dagster/asset_partition_range_start": "globex",
                "dagster/asset_partition_range_end": "nobody",
            },
        )
    )
    globex, nobody = reported["globex"], reported["nobody"]
    assert set(globex["changed"]) >= SEVERAL_FILES
    assert globex["files"] < globex["files_before"]
    assert globex["lost_races"] == []
    assert "raw_messages" in globex["tables"]
    assert (nobody["files_before"], nobody["changed"]) == (1, []), "the shared table alone"
    assert not (platform.folder / "lake" / "nobody").exists()
    after = platform.versions("globex")
    assert {name for name in after if after[name] > versions[name]} == set(globex["changed"])

    result = platform.materialize("globex")
    assert result.success
    assert platform.versions("globex") == after, "a run with nothing new writes nothing"
    materialized = {event.asset_key for event in result.get_asset_materialization_events()}
    assert dg.AssetKey("lake_maintenance") not in materialized, "it takes turns with runs"


SUNDAY = datetime(2026, 11, 22, 3, tzinfo=UTC)


def tick(platform: Platform) -> ScheduleExecutionData:
    context = dg.build_schedule_context(
        platform.instance,
        scheduled_execution_time=SUNDAY,
        repository_def=build_definitions(platform.settings).get_repository_def(),
    )
    return weekly_maintenance.evaluate_tick(context)


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[Platform]:
    """With an instance on disk: a schedule's context takes no other."""
    with instance_in(tmp_path / "home") as instance:
        yield Platform(tmp_path, instance)


def test_the_schedule_requests_a_run_of_each_customer_alone(recorded: Platform) -> None:
    assert "assess customers sync" in (tick(recorded).skip_message or "")
    for name in ("globex", "acme"):
        for one in "ab":
            recorded.land(name, f"{one}.ndjson", lines(message(f"{name}{one}")))
            recorded.materialize(name)
    recorded.register("../no key")
    requested = tick(recorded).run_requests or []
    assert {run.run_key: run.partition_key for run in requested} == {
        "globex 2026-11-22": "globex",
        "acme 2026-11-22": "acme",
    }
    acme = recorded.versions("acme")
    job = build_definitions(recorded.settings).resolve_job_def(weekly_maintenance.job_name)
    result = job.execute_in_process(
        instance=recorded.instance,
        run_config={"ops": {"lake_maintenance": {"config": {"max_small_files": 1}}}},
        tags={**requested[0].tags, "dagster/partition": str(requested[0].partition_key)},
    )
    assert set(told(result)["globex"]["changed"]) >= {"raw_messages", "assessments"}
    after = {**recorded.versions("acme"), "customer_overview": acme["customer_overview"]}
    assert after == acme, "but for the table that all share"


def test_no_reader_is_given_less_than_a_day(platform: Platform) -> None:
    job = build_definitions(platform.settings).resolve_implicit_global_asset_job_def()
    platform.register("globex")
    with pytest.raises(ValidationError, match="retention_hours"):
        job.execute_in_process(
            instance=platform.instance,
            partition_key="globex",
            asset_selection=[dg.AssetKey("lake_maintenance")],
            run_config={"ops": {"lake_maintenance": {"config": {"retention_hours": 1}}}},
        )


def test_a_table_that_was_not_made_is_not_made_by_maintenance(tmp_path: Path) -> None:
    assert keep(CUSTOMER, "exams", f"file://{tmp_path}/exams", COMPACT_ALL) is None
    assert list(tmp_path.iterdir()) == []
