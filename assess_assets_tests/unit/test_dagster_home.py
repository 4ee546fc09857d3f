"""DAGSTER_HOME is made on demand, as lake and landing are; the next command finds it.

Belongs here: which commands make it, with what, and what is left alone. No engine is started.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from assess_assets.cli.app import app
from assess_assets.cli.deployment import OUR_DAGSTER_YAML

Assess = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "new" / "home"


@pytest.fixture
def assess(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Assess:
    """Run a command in a deployment of which nothing exists yet."""
    monkeypatch.setenv("ASSESS_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("ASSESS_LANDING", str(tmp_path / "landing"))
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    (tmp_path / "a.json").write_text("[]")
    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments])


@pytest.mark.parametrize("before", ["nothing", "an empty folder"])
@pytest.mark.parametrize(
    "command", [("customers", "sync"), ("customers", "add", "acme"), ("customers",)]
)
def test_what_opens_the_instance_makes_its_home(
    assess: Assess, home: Path, before: str, command: tuple[str, ...]
) -> None:
    if before != "nothing":
        home.mkdir(parents=True)
    result = assess(*command)
    assert result.exit_code == 0, result.output
    assert f"Made {home} (DAGSTER_HOME)" in result.stderr
    assert (home / "dagster.yaml").read_bytes() == OUR_DAGSTER_YAML.read_bytes()
    assert "Made" not in assess(*command).stderr


def test_after_land_dagsters_own_command_finds_the_home(
    assess: Assess, home: Path, tmp_path: Path
) -> None:
    result = assess("land", tmp_path / "a.json", "-c", "acme")
    assert result.exit_code == 0, result.output
    assert "Next: assess customers sync" in result.stdout
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "instance", "info"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    limits = yaml.safe_load(OUR_DAGSTER_YAML.read_text())["concurrency"]["runs"]
    assert str(limits["tag_concurrency_limits"][0]["key"]) in done.stdout


def test_a_file_lands_though_no_home_can_be_made(
    assess: Assess, home: Path, tmp_path: Path
) -> None:
    home.parent.write_text("a file, where a folder is needed")
    result = assess("land", tmp_path / "a.json", "-c", "acme")
    assert result.exit_code == 0
    assert f"DAGSTER_HOME, {home}, can't be made: " in result.stderr
    assert (tmp_path / "landing" / "acme" / "a.json").exists()
    refused = assess("customers", "sync")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "set DAGSTER_HOME to another folder" in refused.stderr


def test_a_home_with_other_content_is_left_alone(assess: Assess, home: Path) -> None:
    home.mkdir(parents=True)
    (home / "notes.txt").write_text("mine")
    assert assess("customers", "sync").exit_code == 0
    assert not (home / "dagster.yaml").exists()


def test_a_relative_home_is_refused_by_dagster_and_not_made(
    assess: Assess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", "home")
    result = assess("customers", "sync")
    assert result.exit_code == 1
    assert "must be an absolute path" in result.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("before", ["nothing", "an empty folder"])
def test_the_doctor_says_what_makes_the_home_and_makes_nothing(
    assess: Assess, home: Path, before: str, tmp_path: Path
) -> None:
    if before != "nothing":
        home.mkdir(parents=True)
    there = sorted(tmp_path.rglob("*"))
    told = " ".join(assess("doctor").stdout.split())
    state = "does not exist yet" if before == "nothing" else "is empty"
    assert f"warn dagster instance: DAGSTER_HOME, {home}, {state} fix: any command that" in told
    assert sorted(tmp_path.rglob("*")) == there
