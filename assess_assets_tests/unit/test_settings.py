"""What ASSESS_* may be: refused in words before anything is started."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from assess_assets.cli.app import app
from assess_assets.settings import Settings


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("", "sail"),
        (" Sail ", "sail"),
        ("local", "local"),
        ("local[*]", "local[*]"),
        ("local[12]", "local[12]"),
        ("spark://a:7077,b:7077", "spark://a:7077,b:7077"),
        ("sc://localhost:15002/;token=t", "sc://localhost:15002/;token=t"),
    ],
)
def test_an_engine_is_taken_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, given: str, meant: str
) -> None:
    monkeypatch.setenv("ASSESS_SPARK", given)
    assert Settings().spark == meant


@pytest.mark.parametrize(
    "given", ["spark", "local[0]", "local[]", "yarn", "spark://", "sc:/host", "http://a", "sail2"]
)
def test_any_other_word_is_refused_by_its_name_with_the_legal_forms(given: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(spark=given)
    assert f"ASSESS_SPARK is {given!r}, which names no engine." in str(refused.value)
    assert "local, local[n], local[*], spark://host:port or sc://host:port." in str(refused.value)


def test_a_token_in_a_mistyped_address_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSESS_SPARK", "scc://host:1/;token=secret")
    result = CliRunner().invoke(app, ["customers"])
    assert result.exit_code == 1
    assert result.stderr.startswith("assess: ASSESS_SPARK is 'scc://host:1/', which names no")
    assert "secret" not in result.output


def test_a_variable_of_the_wrong_type_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSESS_MAX_MESSAGES_PER_RUN", "many")
    result = CliRunner().invoke(app, ["customers"])
    assert result.exit_code == 1
    assert result.stderr.startswith("assess: ASSESS_MAX_MESSAGES_PER_RUN: Input should be a valid")


def test_more_messages_a_run_than_there_are_offsets_are_refused() -> None:
    assert Settings(max_messages_per_run=2**63 - 1).max_messages_per_run == 2**63 - 1
    with pytest.raises(ValidationError, match="less than 9223372036854775808"):
        Settings(max_messages_per_run=2**63)


def test_dagsters_own_commands_fail_with_that_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSESS_SPARK", "yarn")
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "asset", "list", "-m", "assess_assets.definitions"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "ASSESS_SPARK is 'yarn', which names no engine. Set it to sail" in done.stderr


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LAKE", "LANDING", "POLICIES", "KAFKA"):
        monkeypatch.setenv(f"ASSESS_{name}", "")
    settings = Settings()
    assert (settings.lake, settings.landing) == ("data/lake", Path("data/landing"))
    assert (settings.policies, settings.kafka) == (None, None)


def test_a_tilde_is_the_home_folder_in_every_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("ASSESS_POLICIES", "~/p.toml")
    monkeypatch.setenv("ASSESS_LANDING", "~/landing")
    settings = Settings()
    assert (settings.policies, settings.landing, settings.cache) == (
        Path("/home/ann/p.toml"),
        Path("/home/ann/landing"),
        Path("/home/ann/.cache/assess_assets"),
    )


def test_a_uri_is_no_landing_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSESS_LANDING", "file:///data/landing")
    with pytest.raises(ValidationError, match="set it to a path, not to a URI"):
        Settings()
