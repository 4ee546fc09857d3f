"""`assess follow` and the sensor: who gets a run, who doesn't, and what a failure stops.

Belongs here: landed files. Does not: a topic (`services/test_following_a_topic.py`).
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from threading import Timer

import dagster as dg
import pytest
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from assess_assets.automation.jobs import UPDATE, UPDATE_CUSTOMERS
from assess_assets.automation.news import look_at_sources, news_of
from assess_assets.automation.sensor import new_messages
from assess_assets.cli.app import app
from assess_assets.cli.followed_runs import COMMAND, PROCESS, job_of, settings_text
from assess_assets.cli.following import Follower
from assess_assets.definitions import build_definitions
from assess_assets.resources.lake import LakeResource
from assess_assets.resources.spark import SparkEngine
from assess_assets.settings import Settings
from assess_assets_tests.conftest import ENGINE
from assess_assets_tests.deliveries import lines, message, of_every_fate
from assess_assets_tests.steps import CUSTOMER, WRITTEN, Steps, rows_of

NOBODY: frozenset[str] = frozenset()


@pytest.fixture
def deployed(tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment that the environment names; DAGSTER_HOME too, for commands."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ASSESS_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("ASSESS_LANDING", str(tmp_path / "landing"))
    monkeypatch.setenv("ASSESS_SPARK", ENGINE)


@pytest.fixture
def instance(deployed: None) -> Iterator[dg.DagsterInstance]:
    """In memory, which is quicker."""
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


@pytest.fixture
def home(deployed: None) -> Iterator[dg.DagsterInstance]:
    """The instance of DAGSTER_HOME."""
    with dg.DagsterInstance.get() as opened:
        yield opened


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def follower(instance: dg.DagsterInstance, said: list[str]) -> Follower:
    made = Follower(instance, NOBODY, said.append)
    made.open()
    return made


def land(folder: Path, customer: str, name: str, *messages: object) -> Path:
    path = folder / "landing" / customer / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(lines(*messages))
    return path


def attempts(folder: Path, customer: str) -> list[str]:
    rows = rows_of(str(folder / "lake" / customer / "assessments"), "assessments")
    return sorted(row["user_exam_id"] for row in rows)


def resource() -> LakeResource:
    return LakeResource.from_settings(Settings(), SparkEngine(url=ENGINE))


def a_round(follower: Follower) -> list[str]:
    """In a thread, as the command does. In the main one Dagster takes a signal that is meant for
    pytest (Ctrl-C, a time limit): the run fails of it, and with it an innocent test."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(follower.round).result()


def a_tick(instance: dg.DagsterInstance, cursor: str | None) -> dg.SensorResult:
    with dg.build_sensor_context(instance, cursor, resources={"lake": resource()}) as context:
        result = new_messages(context)
    assert isinstance(result, dg.SensorResult)
    return result


def run_of(follower: Follower, run_id: str) -> dg.DagsterRun:
    run = follower.instance.get_run_by_id(run_id)
    assert run is not None
    return run


def everything_below(folder: Path) -> dict[str, int]:
    """Every file, by when it was written."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): path.stat().st_mtime_ns for path in files}


def test_a_round_runs_whoever_has_news_and_the_next_one_nobody(
    follower: Follower, tmp_path: Path
) -> None:
    land(tmp_path, "acme", "a.ndjson", message("a"))
    land(tmp_path, "globex", "b.ndjson", message("b"))
    (tmp_path / "landing" / "zero").mkdir()
    (run_id,) = a_round(follower)  # neighbours: one run for both
    run = run_of(follower, run_id)
    assert (run.status, run.job_name) == (dg.DagsterRunStatus.SUCCESS, UPDATE_CUSTOMERS.name)
    assert run.tags["dagster/asset_partition_range_start"] == "acme"
    assert run.tags["dagster/asset_partition_range_end"] == "globex"
    assert follower.instance.get_dynamic_partitions("customers") == ["acme", "globex", "zero"]
    made = follower.instance.get_materialized_partitions(dg.AssetKey("exam_counts"))
    assert made == {"acme", "globex"}
    before = everything_below(tmp_path / "lake")
    assert a_round(follower) == []
    assert everything_below(tmp_path / "lake") == before
    assert not (tmp_path / "lake" / "zero").exists()
    assert len(follower.instance.get_runs()) == 1
    land(tmp_path, "globex", "c.ndjson", message("c"))
    (run_id,) = a_round(follower)
    assert run_of(follower, run_id).tags["dagster/partition"] == "globex"
    assert attempts(tmp_path, "globex") == ["b", "c"]


def test_what_a_run_checkpointed_is_freed_after_it(follower: Follower, tmp_path: Path) -> None:
    uri = os.environ.get("SAIL_EXECUTION__CHECKPOINT__PATH", "file:///nowhere")  # not of Spark
    folder = Path(uri.removeprefix("file://"))
    land(tmp_path, "acme", "a.ndjson", message("1"))
    assert len(a_round(follower)) == 1
    assert list(folder.glob("*")) == []
    land(tmp_path, "acme", "b.ndjson", message("2"))
    assert len(a_round(follower)) == 1
    assert attempts(tmp_path, "acme") == ["1", "2"]


def test_a_higher_version_of_a_policy_is_news_once(
    deployed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    policies = tmp_path / "policies.toml"
    policies.write_text("[customers.acme]\nversion = 1\n")
    monkeypatch.setenv("ASSESS_POLICIES", str(policies))
    follower: Follower = request.getfixturevalue("follower")
    land(tmp_path, "acme", "a.ndjson", message("a"))
    assert len(a_round(follower)) == 1
    assert a_round(follower) == []
    exam = message("a")["base_exam_id"]
    policies.write_text(f"[customers.acme]\nversion = 2\ntest_exam_ids = ['{exam}']\n")
    (sight,) = look_at_sources(resource(), None, ["acme"])
    news = news_of(resource(), sight)
    assert news is not None
    assert news.told == "policy version 1 to 2"
    assert len(a_round(follower)) == 1
    assert [row["is_test"] for row in rows_of(str(tmp_path / "lake/acme/exams"), "exams")] == [True]
    assert a_round(follower) == []


def test_a_build_that_a_crash_left_unmade_is_news_also_to_who_was_up_to_date(
    follower: Follower, tmp_path: Path, spark: SparkSession
) -> None:
    land(tmp_path, "acme", "a.ndjson", message("a"))
    assert len(a_round(follower)) == 1
    assert a_round(follower) == []
    Steps(spark, tmp_path).claim_rebuild()
    (sight,) = look_at_sources(resource(), None, ["acme"])
    news = news_of(resource(), sight)
    assert news is not None
    assert news.told == "build 2 is unfinished"
    assert len(a_round(follower)) == 1
    ledger = rows_of(str(tmp_path / "lake/acme/message_ledger"), "message_ledger", "build")
    assert ledger == [{"build": 2}]
    assert a_round(follower) == []


def test_a_build_claimed_just_now_is_left_to_the_run_that_follows_its_claim(
    follower: Follower, tmp_path: Path, spark: SparkSession
) -> None:
    land(tmp_path, "acme", "a.ndjson", message("a"))
    assert len(a_round(follower)) == 1
    Steps(spark, tmp_path, now=lambda: datetime.now(UTC)).claim_rebuild()
    assert a_round(follower) == []
    (sight,) = look_at_sources(resource(), None, ["acme"])
    assert news_of(resource(), replace(sight, is_left=True)) is not None


def test_a_customer_that_fails_stops_nobody_and_is_tried_again_after_a_while(
    follower: Follower, tmp_path: Path, said: list[str]
) -> None:
    land(tmp_path, "acme", "a.ndjson", message("a"))
    land(tmp_path, "globex", "bad.ndjson", *["not JSON"] * 2, message("b"))
    (together,) = a_round(follower)
    assert run_of(follower, together).status == dg.DagsterRunStatus.FAILURE
    assert follower.failing == {"globex": 1}
    assert attempts(tmp_path, "acme") == ["a"]
    assert "quarantine" in said[-1]
    assert said[-1].startswith("globex: FAILED, and is tried again in the next round.")
    (alone,) = a_round(follower)
    assert run_of(follower, alone).tags["dagster/partition"] == "globex"
    assert said[-1].startswith("globex: FAILED, and is tried again in 2 rounds.")
    land(tmp_path, "globex", "good.ndjson", *(message(f"m{n}") for n in range(9)))
    assert a_round(follower) == []
    (mended,) = a_round(follower)
    assert run_of(follower, mended).status == dg.DagsterRunStatus.SUCCESS
    assert follower.failing == {}
    assert "globex: is up to date again." in said


def test_the_command_ends_with_1_if_its_only_round_failed(
    home: dg.DagsterInstance, tmp_path: Path
) -> None:
    land(tmp_path, "globex", "bad.ndjson", *["not JSON"] * 2, message("b"))
    land(tmp_path, "acme", "a.ndjson", message("a"))
    result = CliRunner().invoke(app, ["follow", "--once", "-c", "globex"])
    assert result.exit_code == 1
    assert "Not up to date: globex." in result.stderr
    assert home.get_dynamic_partitions("customers") == ["globex"]
    assert not (tmp_path / "lake" / "acme").exists()


def test_a_signal_ends_it_after_the_run_at_hand(home: dg.DagsterInstance, tmp_path: Path) -> None:
    land(tmp_path, "acme", "a.ndjson", *of_every_fate(), *(message(f"m{n}") for n in range(9)))
    program = [sys.executable, "-c", "from assess_assets.cli import main; main()"]
    process = subprocess.Popen(
        [*program, "follow", "--every", "1s"], stderr=subprocess.PIPE, text=True, env=os.environ
    )
    give_up = time.monotonic() + 120
    started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
    while not home.get_runs(started) and time.monotonic() < give_up:
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    assert told.endswith("Stopped after a whole round.\n")
    (run,) = home.get_runs()
    assert run.status == dg.DagsterRunStatus.SUCCESS
    assert "m8" in attempts(tmp_path, "acme")


SMALL = """
import assess_assets.cli.follow as command
from assess_assets.cli import main

command.MOST_RESIDENT_BYTES = 1
main()
"""


def test_a_process_that_has_grown_too_large_starts_anew_between_two_rounds(
    home: dg.DagsterInstance, tmp_path: Path
) -> None:
    (tmp_path / "tmp").mkdir()
    program = [sys.executable, "-W", "ignore", "-c", SMALL, "follow", "--every", "1s"]
    environment = {**os.environ, "TMPDIR": str(tmp_path / "tmp")}
    process = subprocess.Popen(program, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr
    give_up = Timer(240, process.kill)
    give_up.start()
    try:
        for name in ("a", "b", "c"):
            told = list(takewhile(lambda line: "Following all" not in line, process.stderr))
            assert name == "a" or told[-1].startswith("Starting anew: the engine holds ")
            land(tmp_path, "acme", f"{name}.ndjson", message(name))
        assert process.poll() is None
        assert len(list((tmp_path / "tmp").glob("assess-checkpoints-*"))) == 1
    finally:
        give_up.cancel()
        process.terminate()
        process.communicate(timeout=120)
    assert attempts(tmp_path, "acme")[:2] == ["a", "b"]
    assert not list((tmp_path / "tmp").glob("assess-checkpoints-*"))


def test_a_partition_that_is_no_key_and_a_landing_file_that_is_no_folder_stop_nobody_else(
    home: dg.DagsterInstance, tmp_path: Path
) -> None:
    home.add_dynamic_partitions("customers", ["acme", "Globex Inc", "initech"])
    land(tmp_path, "acme", "a.ndjson", message("a"))
    (tmp_path / "landing" / "initech").write_text("no folder")
    resources = {"lake": resource()}
    with dg.build_sensor_context(home, resources=resources) as context:
        tick = new_messages(context)
    assert isinstance(tick, dg.SensorResult)
    assert [one.partition_key for one in tick.run_requests or []] == ["acme"]
    result = CliRunner().invoke(app, ["follow", "--once"])
    assert result.exit_code == 1
    assert "Not followed: 'Globex Inc' is not a customer key" in result.stderr
    assert "Not up to date: initech." in result.stderr
    assert attempts(tmp_path, "acme") == ["a"]
    (tmp_path / "landing" / "initech").unlink()
    listed = CliRunner().invoke(app, ["customers"])
    assert listed.exit_code == 0
    assert [line.split()[0] for line in listed.stdout.splitlines()[2:]] == ["acme", "initech"]
    assert "- 'Globex Inc': 'Globex Inc' is not a customer key" in listed.stderr


def test_one_round_in_which_nothing_could_be_looked_at_ends_with_1(
    home: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    monkeypatch.setenv("ASSESS_POLICIES", str(tmp_path / "policies.toml"))
    (tmp_path / "policies.toml").write_text("")
    follower = Follower(home, NOBODY, said.append)
    follower.open()
    (tmp_path / "policies.toml").unlink()
    assert a_round(follower) == []
    assert follower.is_blind
    (tmp_path / "policies.toml").write_text("")
    assert a_round(follower) == []
    assert not follower.is_blind


def test_a_customer_with_many_small_files_is_maintained_between_two_rounds(
    follower: Follower, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assess_assets.cli.following.MOST_SMALL_FILES", 1)
    for name in ("a", "b", "c"):
        land(tmp_path, "acme", f"{name}.ndjson", message(name))
        assert a_round(follower)
        maintained = [told for told in said if "lake_maintenance" in told and "FAILED" not in told]
        assert len(maintained) == {"a": 0, "b": 1, "c": 2}[name], said
    records = follower.instance.fetch_materializations(dg.AssetKey("lake_maintenance"), limit=5)
    assert [one.partition_key for one in records.records] == ["acme", "acme"]
    assert a_round(follower) == []
    assert attempts(tmp_path, "acme") == ["a", "b", "c"]


def test_a_run_whose_process_was_killed_holds_nobody_up(
    follower: Follower, instance: dg.DagsterInstance, said: list[str], tmp_path: Path
) -> None:
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], stdout=-1)
    host = os.uname().nodename
    for customer, number in (("acme", int(gone.stdout)), ("globex", os.getpid())):
        instance.create_run_for_job(
            job_of(settings_text(), UPDATE),
            status=dg.DagsterRunStatus.STARTED,
            tags={"dagster/partition": customer, COMMAND: "follow", PROCESS: f"{host}:{number}"},
        )
        land(tmp_path, customer, "a.ndjson", message("a"))
    follower.open()
    assert a_round(follower), said
    assert follower.failing == {}, said
    assert attempts(tmp_path, "acme") == ["a"]
    assert not (tmp_path / "lake" / "globex").exists()
    assert any(told.startswith("globex waits: run ") for told in said)


@pytest.mark.parametrize("table", [name for name in WRITTEN if name != "source_ranges"])
def test_a_crash_anywhere_is_news(
    instance: dg.DagsterInstance, tmp_path: Path, spark: SparkSession, table: str
) -> None:
    steps = Steps(spark, tmp_path)
    steps.land("a.ndjson", lines(*of_every_fate()))
    steps.stop_before(table)
    (sight,) = look_at_sources(resource(), None, [CUSTOMER])
    news = news_of(resource(), sight)
    assert news is not None
    assert news.told == "an unfinished batch"


@pytest.mark.parametrize("last", ["customer_report", "customer_overview"])
def test_a_crash_before_either_of_the_last_tables_is_news(
    follower: Follower, tmp_path: Path, last: str
) -> None:
    land(tmp_path, "acme", "a.ndjson", message("a"))
    everything = build_definitions(Settings()).resolve_implicit_global_asset_job_def()
    made = [dg.AssetKey(table) for table in (*WRITTEN, "customer_report", "customer_overview")]
    made.remove(dg.AssetKey(last))
    follower.instance.add_dynamic_partitions("customers", ["acme"])
    assert everything.execute_in_process(
        instance=follower.instance, partition_key="acme", asset_selection=made
    ).success
    (sight,) = look_at_sources(resource(), None, ["acme"])
    news = news_of(resource(), sight)
    assert news is not None
    assert news.told == "an unfinished batch"
    assert len(a_round(follower)) == 1
    assert a_round(follower) == []


def test_the_sensor_requests_a_run_once_and_none_while_one_is_under_way(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    cursor: str | None = None

    def tick() -> tuple[list[tuple[str | None, str | None]], list[str]]:
        nonlocal cursor
        result = a_tick(instance, cursor)
        cursor = result.cursor
        added = [
            key for one in result.dynamic_partitions_requests or [] for key in one.partition_keys
        ]
        instance.add_dynamic_partitions("customers", added)
        return [(one.partition_key, one.run_key) for one in result.run_requests or []], added

    assert tick() == ([], [])
    land(tmp_path, "acme", "a.ndjson", message("a"))
    (tmp_path / "landing" / "Not A Key").mkdir()
    ((customer, first),), added = tick()
    assert (customer, added) == ("acme", ["acme"])
    assert tick() == ([], [])  # requested, and not run yet
    run = instance.create_run_for_job(
        job_of(settings_text(), UPDATE),
        status=dg.DagsterRunStatus.STARTED,
        tags={"dagster/partition": "acme"},
    )
    land(tmp_path, "acme", "b.ndjson", message("b"))
    assert tick() == ([], [])
    instance.report_run_failed(run)
    ((customer, second),), _ = tick()
    assert customer == "acme"
    assert second != first
    said: list[str] = []
    follower = Follower(instance, NOBODY, said.append)
    follower.open()
    assert len(a_round(follower)) == 1
    assert follower.failing == {}, said
    assert tick() == ([], [])
    (tmp_path / "landing" / "acme" / "b.ndjson").touch()
    assert [customer for customer, _ in tick()[0]] == ["acme"]  # it may have changed
    assert tick() == ([], [])


def test_a_tick_that_runs_out_of_time_leaves_the_rest_to_the_next_one(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assess_assets.automation.sensor.MOST_SECONDS", 0.0)
    customers = ["acme", "globex", "initech"]
    for customer in customers:
        land(tmp_path, customer, "a.ndjson", message("a"))
    instance.add_dynamic_partitions("customers", customers)
    cursor: str | None = None
    for customer in customers:
        result = a_tick(instance, cursor)
        cursor = result.cursor
        assert [one.partition_key for one in result.run_requests or []] == [customer]
    last = a_tick(instance, cursor)
    assert last.run_requests == []
    assert last.skip_reason is not None
    assert last.skip_reason.skip_message == (
        "3 customers, 0 of them with a run: nothing to request."
    )


def test_the_table_of_all_customers_is_read_once_in_a_round_not_once_for_each(
    follower: Follower, tmp_path: Path
) -> None:
    for customer in ("acme", "globex"):
        land(tmp_path, customer, "a.ndjson", message("a"))
    assert len(a_round(follower)) == 1
    asked = resource()
    first, second = look_at_sources(asked, None, ["acme", "globex"])
    assert news_of(asked, first) is None
    shutil.rmtree(tmp_path / "lake" / "_platform" / "customer_overview")
    assert news_of(asked, second) is None
    later, _ = look_at_sources(asked, None, ["acme", "globex"])
    news = news_of(asked, later)
    assert news is not None
    assert news.told == "an unfinished batch"
