"""`assess customers remove`: what goes, what stays, kills in between, and coming back.

Belongs here: a lake on disk. Does not: HDFS and topics (`services/test_removal_on_services.py`).
"""

import contextlib
import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession
from typer.testing import CliRunner, Result

from assess_assets.automation import sensor
from assess_assets.automation.jobs import UPDATE_CUSTOMERS
from assess_assets.cli import customers as customers_commands
from assess_assets.cli import following
from assess_assets.cli.app import app
from assess_assets.cli.following import Follower
from assess_assets.definitions import build_definitions
from assess_assets.resources.lake import LakeResource
from assess_assets.resources.spark import SparkEngine
from assess_assets.settings import Settings
from assess_assets.storage import delta
from assess_assets.storage.removal import LocalFolders, Removal
from assess_assets.tables.registry import CUSTOMER_TABLES
from assess_assets_tests.conftest import ENGINE, Platform, instance_in
from assess_assets_tests.deliveries import lines, message

NOBODY_ANSWERS = "127.0.0.1:1"
SENT = [message(name) for name in ("a", "b", "c", "a")]
CUSTOMERS = ("acme", "globex", "initech")
# That differ between two runs over the same messages.
OF_THE_RUN = {"claimed_at", "ingested_at", "run_id", "last_run_at"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Path:
    """Three customers with every table, and their Dagster instance."""
    folder = tmp_path_factory.mktemp("made")
    with instance_in(folder / "home") as instance:
        platform = Platform(folder, instance)
        for customer in CUSTOMERS:
            platform.land(customer, "delivery.ndjson", lines(*SENT))
        assert platform.materialize_range(CUSTOMERS[0], CUSTOMERS[-1]).success
    return folder


@pytest.fixture
def deployed(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """A copy of it, that the environment names."""
    folder = tmp_path / "deployed"
    shutil.copytree(made, folder)
    monkeypatch.setenv("DAGSTER_HOME", str(folder / "home"))
    monkeypatch.setenv("ASSESS_LAKE", str(folder / "lake"))
    monkeypatch.setenv("ASSESS_LANDING", str(folder / "landing"))
    monkeypatch.setenv("ASSESS_SPARK", ENGINE)
    with instance_in(folder / "home") as instance:
        yield Platform(folder, instance)


def assess(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def remove(*arguments: object) -> Result:
    return assess("customers", "remove", *arguments)


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every file's bytes, and every folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def is_whole(deployed: Platform, customer: str = "acme") -> bool:
    return (
        (deployed.folder / "lake" / customer).is_dir()
        and (deployed.folder / "landing" / customer).is_dir()
        and deployed.instance.has_dynamic_partition("customers", customer)
        and customer in in_overview(deployed)
    )


def in_overview(deployed: Platform) -> list[str]:
    table = DeltaTable(str(deployed.folder / "lake" / "_platform" / "customer_overview"))
    names: list[str] = table.to_pyarrow_table().column("customer").to_pylist()
    return sorted(names)


def require_gone(deployed: Platform, customer: str = "acme") -> None:
    """Of the customer there is nothing, and of the others everything."""
    others = [each for each in CUSTOMERS if each != customer]
    removed = deployed.folder / "lake" / "_platform" / "removed"
    assert not (deployed.folder / "lake" / customer).exists()
    assert not (deployed.folder / "landing" / customer).exists()
    assert not removed.exists() or not list(removed.iterdir())
    assert list(deployed.instance.get_dynamic_partitions("customers")) == others
    assert in_overview(deployed) == others
    listed = json.loads(assess("customers", "--json").stdout)
    assert [one["key"] for one in listed] == others


@pytest.fixture
def others_unharmed(deployed: Platform) -> Iterator[None]:
    folders = [deployed.folder / of / who for of in ("lake", "landing") for who in CUSTOMERS[1:]]
    before = [contents(folder) for folder in folders]
    assert all(before)
    yield
    assert [contents(folder) for folder in folders] == before


@pytest.fixture
def nothing_removed(deployed: Platform, others_unharmed: None) -> Iterator[None]:
    lake = contents(deployed.folder / "lake")
    yield
    assert is_whole(deployed)
    assert contents(deployed.folder / "lake") == lake


@pytest.mark.usefixtures("others_unharmed")
def test_a_customer_is_removed_whole_and_nobody_else_is_touched(deployed: Platform) -> None:
    files = [path for path in (deployed.folder / "lake" / "acme").rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    result = remove("acme", "--landing", "--yes", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {
        "customer": "acme",
        "tables": sorted(table.name for table in CUSTOMER_TABLES),
        "files": len(files),
        "size_bytes": size,
        "messages": len(SENT),
        "landing_files": 1,
        "overview_row": True,
        "registered": True,
        "leftovers": 0,
    }
    assert f"- 14 tables with {len(SENT)} messages: {len(files):,} files" in result.stderr
    require_gone(deployed)
    again = remove("acme", "--landing", "--yes")
    assert again.exit_code == 1
    assert "Customer acme is not known: no tables in " in again.stderr
    assert deployed.materialize("globex").success


class Killed(BaseException):
    """What no code catches, as of a process that is gone."""


STEPS: dict[str, tuple[Any, str]] = {
    "landing folder": (shutil, "rmtree"),
    "partition": (dg.DagsterInstance, "delete_dynamic_partition"),
    "tables": (Removal, "move_away"),
    "row of customer_overview": (delta, "take_out"),
    "files": (Removal, "delete_leftovers"),
}


def kill(monkeypatch: pytest.MonkeyPatch, step: str, at: str, arguments: tuple[str, ...]) -> None:
    """Run the command, killed before or after a step of it."""
    where, name = STEPS[step]
    real = getattr(where, name)
    calls = 0

    def killed(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if step == "files" and calls == 1:  # those of an earlier removal
            return real(*given, **named)
        if at == "after":
            real(*given, **named)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(where, name, killed)
        with pytest.raises(Killed):
            CliRunner().invoke(app, ["customers", "remove", *arguments], catch_exceptions=False)


@pytest.mark.usefixtures("others_unharmed")
@pytest.mark.parametrize("at", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_anywhere_the_same_command_finishes(
    deployed: Platform, monkeypatch: pytest.MonkeyPatch, step: str, at: str
) -> None:
    arguments = ("acme", "--landing", "--yes")
    kill(monkeypatch, step, at, arguments)
    tables = deployed.folder / "lake" / "acme"
    assert not tables.exists() or len(list(tables.iterdir())) == 14, "whole or not at all"
    if (step, at) != ("files", "after"):
        result = remove(*arguments)
        assert result.exit_code == 0, result.output
    require_gone(deployed)


@pytest.mark.usefixtures("others_unharmed")
@pytest.mark.parametrize("step", STEPS)
def test_of_two_removals_at_once_one_may_be_told_to_run_again_and_then_all_is_gone(
    deployed: Platform, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The second runs whole just before a step of the first."""
    arguments = ("acme", "--landing", "--yes")
    # Before the first step of all, leftovers are looked for: that is not where files go.
    where, name = (LocalFolders, "delete") if step == "files" else STEPS[step]
    real = getattr(where, name)
    others: list[Result | None] = []

    def overtaken(*given: Any, **named: Any) -> Any:
        if not others:
            others.append(None)  # the other one comes by here itself
            others.append(remove(*arguments))
        return real(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(where, name, overtaken)
        first = remove(*arguments)
    assert others[1] is not None
    assert others[1].exit_code == 0, others[1].output
    if first.exit_code:
        assert "went away meanwhile. Another removal of the same customer" in first.stderr
        again = remove(*arguments)
        assert again.exit_code == 1
        assert "Customer acme is not known" in again.stderr
    require_gone(deployed)


def test_the_doctor_names_a_removal_that_was_interrupted(
    deployed: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> list[dict[str, str]]:
        told = json.loads(assess("doctor", "--json").stdout)
        return [finding for finding in told if finding["subject"] == "removals"]

    assert found() == []
    kill(monkeypatch, "tables", "before", ("acme", "--landing", "--yes"))
    (finding,) = found()
    assert finding["told"] == "have tables, and neither partition nor landing folder: acme"
    kill(monkeypatch, "tables", "after", ("acme", "--yes"))
    (finding,) = found()
    assert finding["told"].startswith("that of customer acme was interrupted: file:///")
    assert finding["fix"] == "assess customers remove acme"
    assert remove("acme", "--yes").exit_code == 0
    assert found() == []


@pytest.mark.usefixtures("others_unharmed")
def test_what_a_killed_removal_left_is_deleted_without_harm_to_who_came_back(
    deployed: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill(monkeypatch, "files", "before", ("acme", "--landing", "--yes"))
    deployed.land("acme", "delivery.ndjson", lines(*SENT))
    assert deployed.materialize("acme").success
    before = contents(deployed.folder / "lake" / "acme")
    result = remove("acme", "--yes")
    assert result.exit_code == 1
    assert "Customer acme: what an interrupted removal left is deleted." in result.stderr
    assert "Nothing was removed. Move that folder elsewhere" in result.stderr
    assert not list((deployed.folder / "lake" / "_platform" / "removed").iterdir())
    assert contents(deployed.folder / "lake" / "acme") == before
    assert is_whole(deployed)


def test_a_customer_that_comes_back_is_read_anew(deployed: Platform, tmp_path: Path) -> None:
    def rows() -> dict[str, list[dict[str, Any]]]:
        return {
            table.name: [
                {name: value for name, value in row.items() if name not in OF_THE_RUN}
                for row in deployed.rows(table.name, "acme")
            ]
            for table in CUSTOMER_TABLES
        }

    before = rows()
    shutil.copytree(deployed.folder / "landing" / "acme", tmp_path / "kept")
    assert remove("acme", "--landing", "--yes").exit_code == 0
    shutil.copytree(tmp_path / "kept", deployed.folder / "landing" / "acme")
    assert "Registered acme" in assess("customers", "sync").stdout
    assert deployed.materialize("acme").success
    assert rows() == before
    assert {(row["build"], row["batch"]) for row in deployed.rows("exams", "acme")} == {(1, 1)}
    assert in_overview(deployed) == sorted(CUSTOMERS)


def test_who_follows_reads_a_customer_anew_whose_folder_was_away_meanwhile(
    deployed: Platform, tmp_path: Path
) -> None:
    shutil.rmtree(deployed.folder / "lake")
    said: list[str] = []
    follower = Follower(deployed.instance, frozenset({"acme"}), said.append)
    follower.open()
    assert (len(follower.round()), follower.round()) == (1, [])
    landed = deployed.folder / "landing" / "acme"
    landed.rename(tmp_path / "away")
    assert remove("acme", "--yes").exit_code == 0
    (tmp_path / "away").rename(landed)
    assert len(follower.round()) == 1, said
    assert follower.round() == []
    assert len(deployed.rows("raw_messages", "acme")) == len(SENT)


def a_tick(deployed: Platform, cursor: str | None) -> dg.SensorResult:
    given = {"lake": LakeResource.from_settings(Settings(), SparkEngine(url=ENGINE))}
    with dg.build_sensor_context(deployed.instance, cursor, resources=given) as context:
        told = sensor.new_messages(context)
    assert isinstance(told, dg.SensorResult)
    return told


def test_the_sensor_requests_a_run_under_a_new_key_for_who_came_back(
    deployed: Platform, tmp_path: Path
) -> None:
    (deployed.folder / "lake" / "acme").rename(tmp_path / "lake")  # as before its first run
    first = a_tick(deployed, None)
    (tmp_path / "lake").rename(deployed.folder / "lake" / "acme")
    landed = deployed.folder / "landing" / "acme"
    landed.rename(tmp_path / "away")
    assert remove("acme", "--yes").exit_code == 0
    (tmp_path / "away").rename(landed)
    second = a_tick(deployed, first.cursor)
    keys = [one.run_key for told in (first, second) for one in told.run_requests or []]
    assert len(keys) == len(set(keys)) == 2


@pytest.mark.parametrize("who", ["follow", "the sensor", "customers sync"])
def test_who_looked_at_sources_before_a_removal_does_not_register_the_customer_after_it(
    deployed: Platform, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    def removing_after(look: Callable[..., Any]) -> Callable[..., Any]:
        def looked(*given: Any) -> Any:
            seen = look(*given)
            assert remove("acme", "--landing", "--yes").exit_code == 0
            return seen

        return looked

    where: Any
    where, name = {
        "follow": (following, "customers_with_sources"),
        "the sensor": (sensor, "customers_with_sources"),
        "customers sync": (customers_commands, "landed_folders"),
    }[who]
    with monkeypatch.context() as patch:
        patch.setattr(where, name, removing_after(getattr(where, name)))
        if who == "follow":
            follower = Follower(deployed.instance, frozenset({"acme"}), print)
            follower.open()
            assert follower.round() == []
        elif who == "the sensor":
            told = a_tick(deployed, None)
            assert (told.run_requests, told.dynamic_partitions_requests) == ([], [])
        else:
            assert assess("customers", "sync").exit_code == 0
    require_gone(deployed)


def started(deployed: Platform, tags: dict[str, str]) -> dg.DagsterRun:
    job = build_definitions(deployed.settings).resolve_job_def(UPDATE_CUSTOMERS.name)
    return deployed.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=tags)


RUNS = {
    "its own": {"dagster/partition": "acme"},
    "a range's": {
        "dagster/asset_partition_range_start": "acme",
        "dagster/asset_partition_range_end": "globex",
    },
    "everybody's": {},
}


@pytest.mark.usefixtures("nothing_removed")
@pytest.mark.parametrize("whose", RUNS)
def test_nobody_is_removed_during_a_run(deployed: Platform, whose: str) -> None:
    run = started(deployed, RUNS[whose])
    result = remove("acme", "--landing", "--yes")
    assert result.exit_code == 1
    assert f"Customer acme: run {run.run_id} has not ended, so its tables" in result.stderr


def test_a_run_of_others_holds_nobody_up(deployed: Platform) -> None:
    started(deployed, {"dagster/partition": "globex"})
    started(
        deployed,
        {
            "dagster/asset_partition_range_start": "globex",
            "dagster/asset_partition_range_end": "initech",
        },
    )
    assert remove("acme", "--landing", "--yes").exit_code == 0


@pytest.mark.usefixtures("others_unharmed")
@pytest.mark.parametrize("whose", RUNS)
def test_a_run_that_begins_just_before_the_partition_goes_keeps_the_tables(
    deployed: Platform, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    runs: list[dg.DagsterRun] = []
    delete = dg.DagsterInstance.delete_dynamic_partition
    before = contents(deployed.folder / "lake")

    def begun(instance: dg.DagsterInstance, *given: str) -> None:
        runs.append(started(deployed, RUNS[whose]))
        delete(instance, *given)

    with monkeypatch.context() as patch:
        patch.setattr(dg.DagsterInstance, "delete_dynamic_partition", begun)
        result = remove("acme", "--landing", "--yes")
    assert result.exit_code == 1
    assert f"run {runs[0].run_id} has not ended, so its tables were not removed" in result.stderr
    assert contents(deployed.folder / "lake") == before
    deployed.instance.report_run_canceled(runs[0])
    assert remove("acme", "--yes").exit_code == 0
    require_gone(deployed)


def test_without_its_partition_no_step_makes_anything(deployed: Platform) -> None:
    """So what begins after the partition has gone can't bring tables back."""
    assert remove("acme", "--landing", "--yes").exit_code == 0
    result = dg.execute_job(
        dg.build_reconstructable_job(
            "assess_assets_tests.conftest", "job_of", (deployed.settings.model_dump_json(),)
        ),
        deployed.instance,
        tags=RUNS["its own"],
    )
    assert not result.success
    assert all("Nonexistent partition keys" in str(each) for each in failures(result))
    assert not (deployed.folder / "lake" / "acme").exists()


def failures(result: dg.JobExecutionResult) -> list[Any]:
    """What steps failed of, by themselves."""
    found = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    assert found
    return found


@pytest.mark.usefixtures("nothing_removed")
@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("acme", "--landing"), 1, "Nothing was removed. With --yes it is done without asking."),
        (("acme", "--yes"), 1, "Customer acme would come back by its landing folder, "),
        (("nobody", "--yes"), 1, "Customer nobody is not known: "),
        (("../acme", "--yes"), 2, "is not a customer key"),
        (("_platform", "--landing", "--yes"), 2, "is not a customer key"),
        ((".", "--landing", "--yes"), 2, "is not a customer key"),
        (("", "--landing", "--yes"), 2, "is not a customer key"),
    ],
)
def test_refused_nothing_is_removed(
    deployed: Platform, arguments: tuple[str, ...], code: int, told: str
) -> None:
    result = remove(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert told in result.stderr


@pytest.mark.usefixtures("nothing_removed")
def test_while_the_broker_is_away_nobody_is_removed(
    deployed: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSESS_KAFKA", NOBODY_ANSWERS)
    result = remove("acme", "--landing", "--yes")
    assert result.exit_code == 1
    assert "Whether there is a topic is not known. Nothing was removed. " in result.stderr
    assert NOBODY_ANSWERS in result.stderr


@pytest.mark.parametrize("of", ["lake", "landing"])
@pytest.mark.usefixtures("others_unharmed")
def test_what_a_symbolic_link_leads_to_is_not_touched(deployed: Platform, of: str) -> None:
    folder = deployed.folder / of / "acme"
    shutil.rmtree(folder)
    folder.symlink_to(deployed.folder / of / "globex", target_is_directory=True)
    result = remove("acme", "--landing", "--yes")
    assert result.exit_code == 1
    assert f"{folder} is a symbolic link" in result.stderr
    assert f"rm {folder}" in result.stderr
    assert folder.is_symlink()
    folder.unlink()
    assert remove("acme", "--landing", "--yes").exit_code == 0
    require_gone(deployed)


@pytest.mark.usefixtures("others_unharmed")
def test_a_link_inside_of_the_customers_folders_goes_and_what_it_leads_to_stays(
    deployed: Platform,
) -> None:
    for of in ("lake", "landing"):
        theirs = deployed.folder / of / "globex"
        (deployed.folder / of / "acme" / "link").symlink_to(theirs, target_is_directory=True)
    assert remove("acme", "--landing", "--yes").exit_code == 0
    require_gone(deployed)


@pytest.mark.usefixtures("others_unharmed")
@pytest.mark.parametrize(
    "damage", ["acme/raw_messages/_delta_log/00000000000000000000.json", "acme/raw_messages"]
)
def test_a_customer_with_damaged_tables_can_be_removed(deployed: Platform, damage: str) -> None:
    damaged = deployed.folder / "lake" / damage
    if damaged.is_dir():
        shutil.rmtree(damaged)
    else:
        damaged.unlink()
    assert remove("acme", "--landing", "--yes").exit_code == 0
    require_gone(deployed)


def test_a_run_that_writes_the_overview_meanwhile_is_waited_for(
    deployed: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, races = delta.take_out, 0

    def overtaken(target: delta.Pin, where: str) -> None:
        nonlocal races
        races += 1
        if races <= 2:
            row = {"exams": "exams + 1"}
            DeltaTable(target.uri).update(row, predicate="customer = 'globex'")
        real(target, where)

    def exams() -> int:
        (row,) = (
            r for r in deployed.rows("customer_overview", "globex") if r["customer"] == "globex"
        )
        return int(row["exams"])

    before = exams()
    monkeypatch.setattr(delta, "take_out", overtaken)
    assert remove("acme", "--landing", "--yes").exit_code == 0
    assert (races, exams()) == (3, before + 2)
    require_gone(deployed)


def test_a_customer_that_is_only_registered_or_only_landed_can_be_removed(
    deployed: Platform,
) -> None:
    deployed.register("hooli")
    (deployed.folder / "landing" / "umbrella").mkdir()
    assert remove("hooli", "--yes").exit_code == 0
    assert remove("umbrella", "--landing", "--yes").exit_code == 0
    listed = json.loads(assess("customers", "--json").stdout)
    assert [one["key"] for one in listed] == list(CUSTOMERS)


def test_at_a_terminal_it_asks(deployed: Platform) -> None:
    """Of a process with a terminal of its own, which answers."""
    answers = {"n": 1, "y": 0}
    for answer, code in answers.items():
        ended, told = at_a_terminal("customers remove acme --landing", answer)
        assert "Remove all that? [y/N]" in told
        assert ended == code, told
        assert is_whole(deployed) == (answer == "n")
    require_gone(deployed)


def at_a_terminal(arguments: str, answer: str) -> tuple[int, str]:
    main, terminal = pty.openpty()
    command = [sys.executable, "-W", "ignore", "-m", "assess_assets.cli", *arguments.split()]
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal) as asked:
        os.close(terminal)
        told = b""
        with contextlib.suppress(OSError):  # as Linux says that the other end is closed
            while part := os.read(main, 4096):
                told += part
                if told.rstrip().endswith(b"[y/N]:"):
                    os.write(main, f"{answer}\n".encode())
    os.close(main)
    return asked.returncode, told.decode()
