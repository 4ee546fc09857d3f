"""`assess answers` and `assess report`: what they print, write, and never make."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import typer
from deltalake import DeltaTable
from pyspark.sql import SparkSession
from typer.testing import CliRunner, Result

from assess_assets.cli.answers import answers, report
from assess_assets.cli.errors import Commands
from assess_assets.cli.explain import explain
from assess_assets.cli.verify import verify
from assess_assets.storage.builds import Versions
from assess_assets.tables.reports import CUSTOMER_REPORT
from assess_assets_tests.conftest import Platform
from assess_assets_tests.deliveries import OTHER_FORM, lines, message

SILENT = "hooli"  # its tables were made, and it sent nothing yet

Assess = Callable[..., Result]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Iterator[Platform]:
    """A customer with three attempts, one of them sent twice."""
    with dg.DagsterInstance.ephemeral() as instance:
        platform = Platform(tmp_path_factory.mktemp("told"), instance)
        sent = [message("a"), message("b"), message("a"), message("c", form=OTHER_FORM)]
        platform.land("acme", "one.ndjson", lines(*sent))
        assert platform.materialize("acme").success
        platform.register(SILENT)
        assert platform.materialize(SILENT).success
        yield platform


@pytest.fixture
def assess(told: Platform, monkeypatch: pytest.MonkeyPatch) -> Assess:
    """The commands, on that customer's lake."""
    app = typer.Typer(cls=Commands, pretty_exceptions_enable=False)
    app.command()(answers)
    app.command()(report)
    app.command()(explain)
    app.command()(verify)
    monkeypatch.setenv("ASSESS_LAKE", told.settings.lake)
    monkeypatch.setenv("ASSESS_SPARK", told.settings.spark)
    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments])


def test_answers_are_printed_with_both_countings(assess: Assess) -> None:
    result = assess("answers", "-c", "acme")
    assert result.exit_code == 0
    assert "acme: build 1, up to batch 1" in result.stdout
    assert "How many took Learning Git?" in result.stdout


def test_answers_as_json_are_one_document(assess: Assess) -> None:
    told = json.loads(assess("answers", "-c", "acme", "--exam", "learning sql", "--json").stdout)
    assert (told["customer"], told["build"], told["batch"]) == ("acme", 1, 1)
    assert told["exam"] == "Learning SQL"
    values = {each["name"]: each for each in told["answers"]}
    assert (values["attempts"]["by_message"], values["attempts"]["by_attempt"]) == (4, 3)
    assert values["exam_taken"]["by_attempt"] == 1


def test_answers_as_json_have_so_many_rows_as_are_asked_for(assess: Assess) -> None:
    def rows(*limit: str) -> Result:
        return assess("answers", "-c", "acme", "--json", *limit)

    def exams(result: Result) -> list[str]:
        values = {each["name"]: each for each in json.loads(result.stdout)["answers"]}
        return [row["exam"] for row in values["most_popular"]["rows"]]

    everything, one = rows(), rows("--limit", "1")
    assert (exams(everything), everything.stderr) == (["Learning Git", "Learning SQL"], "")
    assert exams(one) == ["Learning Git"]
    assert one.stderr == "Only the first 1 rows of longer tables: --limit gives more.\n"


def test_an_exam_that_nobody_took_is_told_in_one_message(assess: Assess) -> None:
    result = assess("answers", "-c", "acme", "--exam", "Lerning Git")
    assert result.exit_code == 1
    assert "Did you mean 'Learning Git'" in result.stderr


@pytest.mark.parametrize("command", ["answers", "report"])
def test_asking_about_an_unknown_customer_fails_and_makes_nothing(
    assess: Assess, told: Platform, command: str
) -> None:
    result = assess(command, "-c", "ghost")
    assert result.exit_code == 1
    assert "Customer ghost" in result.stderr
    assert "dagster asset materialize" in result.stderr
    assert not (Path(told.settings.lake) / "ghost").exists()


@pytest.mark.parametrize("command", ["answers", "report"])
def test_a_text_that_is_no_customer_key_is_wrong_usage(assess: Assess, command: str) -> None:
    assert assess(command, "-c", "../acme").exit_code == 2


def test_asking_about_tables_of_older_code_changes_none_of_them(
    told: Platform, assess: Assess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(told.settings.lake, lake)
    tables = list((lake / "acme").iterdir())
    older = {"delta.dataSkippingStatsColumns": "batch"}
    for table in tables:
        DeltaTable(table).alter.set_table_properties(older)
    versions = [DeltaTable(table).version() for table in tables]
    same = assess("answers", "-c", "acme", "--json").stdout
    monkeypatch.setenv("ASSESS_LAKE", str(lake))
    result = assess("answers", "-c", "acme", "--json")
    assert (result.exit_code, result.stdout) == (0, same)
    assert [DeltaTable(table).version() for table in tables] == versions


@pytest.mark.parametrize(
    "command", [("report",), ("explain", "exam_counts"), ("explain", "exams", "attempts")]
)
def test_of_a_customer_without_messages_is_said_that_none_was_read(
    assess: Assess, command: tuple[str, ...]
) -> None:
    result = assess(*command, "-c", SILENT)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"Customer {SILENT}: no message has been read yet" in result.stderr
    assert f"assess land FILE --customer {SILENT}" in result.stderr


def test_a_report_is_written_as_it_is_in_the_table_to_files_of_the_customers_own(
    assess: Assess, told: Platform, tmp_path: Path
) -> None:
    assert assess("report", "-c", "acme", "--out", tmp_path / "new" / "folder").exit_code == 0
    written = {path.name: path.read_text() for path in (tmp_path / "new" / "folder").iterdir()}
    rows: list[dict[str, Any]] = told.rows("customer_report", "acme")
    content = {row["format"]: row["content"] for row in rows}
    assert written == {
        "customer_report_acme.md": content["markdown"],
        "customer_report_acme.html": content["html"],
    }


def test_a_report_that_lacks_a_format_is_not_written_and_is_made_again(
    assess: Assess, told: Platform, tmp_path: Path
) -> None:
    before = told.rows("customer_report", "acme")
    DeltaTable(told.lake.layout.uri(CUSTOMER_REPORT, "acme")).delete("format = 'html'")
    result = assess("report", "-c", "acme", "--out", tmp_path)
    assert result.exit_code == 1
    assert "lacks the report as html. Nothing was written. Next: dagster asset" in result.stderr
    assert list(tmp_path.iterdir()) == []
    assert told.materialize("acme", select=["customer_report"]).success
    assert told.rows("customer_report", "acme") == before


def test_who_asks_for_answers_needs_no_policies_and_who_verifies_is_told_to_set_them(
    told: Platform, assess: Assess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "policies.toml").write_text("[customers.initech]\nversion = 3\n")
    before = told.settings
    told.with_settings(policies=tmp_path / "policies.toml")
    told.land("initech", "one.ndjson", lines(message("a")))
    assert told.materialize("initech").success
    told.with_settings(policies=before.policies)
    (tmp_path / "policies.toml").unlink()  # nor to read the operator's
    for named in (None, str(tmp_path / "policies.toml")):
        if named:
            monkeypatch.setenv("ASSESS_POLICIES", named)
        assert json.loads(assess("answers", "-c", "initech", "--json").stdout)["build"] == 1
    monkeypatch.delenv("ASSESS_POLICIES")
    verified = assess("verify", "-c", "initech")
    assert verified.exit_code == 1
    assert "(policy version 1 to 3)" in verified.stderr
    assert "set ASSESS_POLICIES to the file with the newer policy" in verified.stderr


def test_answers_of_tables_made_by_another_code_are_refused(
    assess: Assess, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = Versions(contract=99, policy=99, code=99)
    monkeypatch.setattr("assess_assets.assets.snapshots.running_versions", lambda _: newer)
    result = assess("answers", "-c", "acme")
    assert result.exit_code == 1
    assert "Materialize builds first" in result.stderr
