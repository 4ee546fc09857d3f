"""Dagster's events in files that stay open: what is written, who else reads it, and when.

Belongs here: `dagster_storage` as Dagster uses it, beside Dagster's own class on the same files.
"""

import sqlite3
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from sqlalchemy import create_engine

from assess_assets.cli.deployment import OUR_DAGSTER_YAML
from assess_assets.dagster_storage import MOST_OPEN, QuickEventLog


@dg.asset
def counted() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"rows": 3})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def ours(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An instance as our dagster.yaml makes it."""
    (home / "dagster.yaml").write_bytes(OUR_DAGSTER_YAML.read_bytes())
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    with dg.DagsterInstance.get() as instance:
        yield instance


def _dagsters_own(home: Path) -> dg.DagsterInstance:
    """What opens the same folder without our configuration."""
    elsewhere = home / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "dagster.yaml").write_text(f"storage: {{sqlite: {{base_dir: {home}}}}}\n")
    return dg.DagsterInstance.from_config(str(elsewhere))


def _materialize(instance: dg.DagsterInstance) -> str:
    result = dg.materialize([counted], instance=instance)
    assert result.success
    return str(result.run_id)


def _types(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    events = [entry.dagster_event for entry in instance.all_logs(run_id)]
    return [event.event_type_value for event in events if event]


def test_dagsters_own_class_reads_what_was_written_while_it_is_still_open(
    home: Path, ours: dg.DagsterInstance
) -> None:
    run_id = _materialize(ours)
    with _dagsters_own(home) as other:
        assert isinstance(other.event_log_storage, SqliteEventLogStorage)
        assert not isinstance(other.event_log_storage, QuickEventLog)
        assert _types(other, run_id) == _types(ours, run_id)
        found = other.get_latest_materialization_event(dg.AssetKey("counted"))
        assert found is not None
        assert found.run_id == run_id


def test_what_dagsters_own_class_wrote_is_read_and_gone_on_with(
    home: Path, ours: dg.DagsterInstance
) -> None:
    first = _materialize(ours)
    with _dagsters_own(home) as other:
        second = _materialize(other)
    third = _materialize(ours)
    told = ours.fetch_materializations(dg.AssetKey("counted"), limit=9)
    assert [record.run_id for record in told.records] == [third, second, first]
    assert _types(ours, second) == _types(ours, first) == _types(ours, third)


def test_who_watches_a_run_from_elsewhere_hears_of_its_events_while_it_is_open(
    home: Path, ours: dg.DagsterInstance
) -> None:
    """As a run's page does, in the web server's process."""
    heard = threading.Event()

    def hear(entry: dg.EventLogEntry, _: str) -> None:
        if entry.dagster_event and entry.dagster_event.event_type_value == "STEP_START":
            heard.set()

    @dg.op
    def wait_until_heard() -> None:
        assert heard.wait(20), "nothing was heard of a run that is under way"

    job = dg.GraphDefinition(name="waiting", node_defs=[wait_until_heard]).to_job()
    run_id = str(uuid.uuid4())
    with _dagsters_own(home) as other:
        other.watch_event_logs(run_id, None, hear)
        assert job.execute_in_process(instance=ours, run_id=run_id).success


def test_databases_of_runs_are_closed_when_there_are_many(
    home: Path, ours: dg.DagsterInstance
) -> None:
    runs = [_materialize(ours) for _ in range(MOST_OPEN + 1)]
    opened = [path.name for path in (home / "history" / "runs").glob("*.db-wal")]
    assert len(opened) == MOST_OPEN
    assert f"{runs[0]}.db-wal" not in opened
    assert _types(ours, runs[0]) == _types(ours, runs[-1])


def test_after_a_wipe_runs_are_recorded_anew(ours: dg.DagsterInstance) -> None:
    _materialize(ours)
    ours.wipe()
    run_id = _materialize(ours)
    assert _types(ours, run_id)[-1] == "PIPELINE_SUCCESS"
    assert [run.run_id for run in ours.get_runs()] == [run_id]


def test_files_can_not_be_damaged_by_a_power_cut(home: Path, ours: dg.DagsterInstance) -> None:
    """`synchronous=normal` is safe in WAL mode only (https://sqlite.org/pragma.html)."""
    run_id = _materialize(ours)
    for name in ("index", run_id):
        with sqlite3.connect(home / "history" / "runs" / f"{name}.db") as connection:
            assert connection.execute("pragma journal_mode").fetchone() == ("wal",)


def test_dagster_still_opens_its_database_for_every_event(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this fails, upstream was mended: remove dagster_storage.py and `storage` of our file."""
    made: list[str] = []

    def counting(address: str, **options: Any) -> Any:
        made.append(address)
        return create_engine(address, **options)

    monkeypatch.setattr(sqlite_event_log, "create_engine", counting)
    home.joinpath("dagster.yaml").touch()
    with dg.DagsterInstance.from_config(str(home)) as instance:
        events = _types(instance, _materialize(instance))
    assert len(made) > len(events)
