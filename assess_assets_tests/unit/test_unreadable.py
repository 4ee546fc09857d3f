"""Folders of a deployment that this user may not read or write: who is told of them, and how.

Belongs here: commands, in a process of a plain user, over a local lake without an engine. Does not:
what failed writes say (`test_lake_faults.py`).
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assess_assets.cli.app import app
from assess_assets.storage.delta import pin
from assess_assets.storage.lake_faults import LakeFault
from assess_assets.storage.layout import LakeLayout
from assess_assets.tables.ingest import RAW_MESSAGES
from assess_assets.tables.registry import CUSTOMER_TABLES
from assess_assets_tests.restricted import PLAIN_USER, done_under, told_under

REFUSED = "This user may not read or write there."


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """acme and globex, who have landed one file each, and every table without a row."""
    layout = LakeLayout.of(str(tmp_path / "lake"))
    for customer in ("acme", "globex"):
        (tmp_path / "landing" / customer).mkdir(parents=True)
        (tmp_path / "landing" / customer / "a.json").write_text("[]")
        for table in CUSTOMER_TABLES:
            pin(table, customer, layout.uri(table, customer))
    monkeypatch.setenv("ASSESS_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("ASSESS_LANDING", str(tmp_path / "landing"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    return tmp_path


@contextmanager
def closed(path: Path, mode: int = 0) -> Iterator[None]:
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


@pytest.mark.parametrize("hidden", ["", "exams", "exams/_delta_log"])
def test_tables_that_may_not_be_read_are_not_told_as_missing(deployment: Path, hidden: str) -> None:
    commands = (
        ("show", "exams"),
        ("sql", "select 1"),
        ("answers",),
        ("explain", "exams"),
        ("history",),
        ("rebuild",),
    )
    with closed(deployment / "lake" / "acme" / hidden):
        all_told = told_under(PLAIN_USER, *((*command, "-c", "acme") for command in commands))
    for command, told in zip(commands, all_told, strict=True):
        assert (told.exit_code, told.stdout) == (1, ""), command
        (line,) = told.stderr.splitlines()
        assert line.startswith("assess: Customer acme, table "), command
        assert f"(file://{deployment}/lake/acme/" in line
        assert f"): {REFUSED} " in line
        assert "give this user access" in line


def test_a_run_makes_no_table_where_it_may_not_look(deployment: Path) -> None:
    layout = LakeLayout.of(str(deployment / "lake"))
    with (
        closed(deployment / "lake" / "acme"),
        pytest.raises(LakeFault, match=rf"^Customer acme, table raw_messages \(.*{REFUSED}"),
    ):
        done_under(PLAIN_USER, pin, RAW_MESSAGES, "acme", layout.uri(RAW_MESSAGES, "acme"))


@pytest.mark.parametrize("mode", [0o555, 0], ids=["read-only", "unreadable"])
def test_a_home_of_dagster_of_another_user_is_told_in_one_message(
    deployment: Path, mode: int
) -> None:
    assert CliRunner().invoke(app, ["customers", "sync"]).exit_code == 0
    home = deployment / "home"
    commands = (("customers", "sync"), ("customers", "add", "initech"), ("rebuild", "-c", "acme"))
    with ExitStack() as rights:
        for path in [*home.rglob("*"), home]:
            rights.enter_context(closed(path, mode if path.is_dir() else mode & 0o444))
        *refused, listed, doctor = told_under(
            PLAIN_USER, *commands, ("customers", "--json"), ("doctor", "--json")
        )
    message = f"The Dagster instance of DAGSTER_HOME, {home}, can't be read and written: "
    for told in refused:
        assert (told.exit_code, told.stdout) == (1, "")
        assert f"assess: {message}" in told.stderr
        assert "Give this user access to that folder and all files below it" in told.stderr
    assert [one["registered"] for one in json.loads(listed.stdout)] == [None, None]
    assert f"Who is registered is unknown. {message}" in listed.stderr
    (found,) = [one for one in json.loads(doctor.stdout) if one["subject"] == "dagster instance"]
    assert found["status"] == "fail"
    assert found["told"].startswith(message)
