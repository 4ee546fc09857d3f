"""Folders of a deployment that this user may not read or write: who is told of them, and how.

Belongs here: commands, in a process of a plain user, over a local lake without an engine. Does not:
what failed writes say (`test_lake_faults.py`).
"""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assess_assets.cli.app import app
from assess_assets.cli.lake_findings import lake_findings
from assess_assets.storage.delta import pin
from assess_assets.storage.lake_faults import LakeFault
from assess_assets.storage.layout import LakeLayout
from assess_assets.tables.ingest import RAW_MESSAGES
from assess_assets.tables.registry import CUSTOMER_TABLES
from assess_assets_tests.faults.sabotage import Sabotage
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


def test_the_doctor_names_whom_this_user_may_not_read_and_still_looks_at_the_others(
    deployment: Path,
) -> None:
    lake, landing = deployment / "lake", deployment / "landing"
    (landing / "globex" / "closed.json").write_text("[]")
    (landing / "globex" / "notes.txt").write_text("")
    with (
        closed(lake / "acme"),
        closed(lake / "globex" / "exams" / "_delta_log", 0o555),
        closed(landing / "acme"),
        closed(landing / "globex" / "closed.json"),
    ):
        (doctor,) = told_under(PLAIN_USER, ("doctor", "--json"))
    found = [(one["status"], one["subject"], one["told"]) for one in json.loads(doctor.stdout)]
    assert [one for one in found if one[1] in ("tables", "landing", "unread entries")] == [
        (
            "fail",
            "tables",
            f"this user can't list and write {lake}/acme, {lake}/globex/exams/_delta_log",
        ),
        (
            "fail",
            "landing",
            f"Customer acme: the landing folder {landing}/acme can't be listed: Permission denied. "
            "Give this process access to it and run again.",
        ),
        (
            "fail",
            "landing",
            f"Customer globex: this user can't read {landing}/globex/closed.json",
        ),
        (
            "warn",
            "unread entries",
            "1 files of other names. Read are regular files in a customer's own folder, and what a "
            "link leads to may be another customer's",
        ),
    ]
    assert doctor.exit_code == 1


def test_the_doctor_writes_to_find_a_full_disk(deployment: Path) -> None:
    before = sorted((deployment / "lake").iterdir())
    (full,) = told_under(Sabotage("full disk", at=1000), ("doctor", "--json"))
    (found,) = [one for one in json.loads(full.stdout) if one["subject"] == "lake"]
    assert found == {
        "status": "fail",
        "subject": "lake",
        "told": f"file://{deployment}/lake can't be used: File too large",
        "fix": "give this user access to it and room on its disk, or set ASSESS_LAKE",
    }
    assert sorted((deployment / "lake").iterdir()) == before


def test_the_doctor_says_how_much_room_is_left(
    deployment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (found,) = lake_findings(LakeLayout.of(str(deployment / "lake")))
    assert found.status == "ok"
    assert re.search(r"can be written, [\d,]+ MiB are free$", found.told)
    monkeypatch.setattr("assess_assets.cli.lake_findings.LITTLE_MIB", 2**60)
    (found,) = lake_findings(LakeLayout.of(str(deployment / "lake")))
    assert (found.status, found.fix) == ("warn", "make room on its disk")


def test_the_list_of_customers_names_whom_it_cannot_see_and_has_all(deployment: Path) -> None:
    with closed(deployment / "lake" / "acme"), closed(deployment / "landing" / "globex"):
        as_json, as_table = told_under(PLAIN_USER, ("customers", "--json"), ("customers",))
    listed = json.loads(as_json.stdout)
    tables = [table.name for table in CUSTOMER_TABLES]
    assert [
        (one["key"], one["landing_files"], one["tables"], one["messages"]) for one in listed
    ] == [("acme", 1, None, None), ("globex", None, tables, 0)]
    (of_acme,), (of_globex,) = (one["problems"] for one in listed)
    assert of_acme.startswith("Customer acme, table ")
    assert REFUSED in of_acme
    folder = deployment / "landing" / "globex"
    assert of_globex.startswith(f"Customer globex: the landing folder {folder} can't be listed: ")
    assert [line.split() for line in as_table.stdout.splitlines()[-2:]] == [
        ["acme", "acme", "no", "1", "?", "?"],
        ["globex", "globex", "no", "?", str(len(tables)), "0"],
    ]
    assert as_table.stderr.endswith(f"{of_acme}\n{of_globex}\n")


@pytest.mark.parametrize(("shut", "customer"), [("landing/acme", "acme"), ("landing", "initech")])
def test_what_cannot_be_landed_names_the_customer_and_what_to_do(
    deployment: Path, shut: str, customer: str
) -> None:
    (deployment / "new.json").write_text("[1]")
    with closed(deployment / shut, 0o555):
        (told,) = told_under(PLAIN_USER, ("land", deployment / "new.json", "-c", customer))
    assert (told.exit_code, told.stdout) == (1, "")
    folder = deployment / "landing" / customer
    assert told.stderr.startswith(
        f"assess: Customer {customer}: {deployment}/new.json can't be landed in {folder}: "
        f"Permission denied ({deployment}/"
    )
    assert "Give this user access" in told.stderr
    assert [path.name for path in folder.glob("*")] == (["a.json"] if customer == "acme" else [])
