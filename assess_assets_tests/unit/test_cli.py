"""The commands that start no engine: what they print, where they write, how they refuse."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from assess_assets.cli.app import app
from assess_assets.cli.output import cell, json_value
from assess_assets.customer_names import encode_customer
from assess_assets.sample.messy import messy_lines
from assess_assets.sample.sample import write_sample
from assess_assets.storage.layout import LakeLayout
from assess_assets.tables.docs import tables_page
from assess_assets.tables.fates import FATES
from assess_assets.tables.registry import TABLES, table_named

ROOT = Path(__file__).parents[2]
COMMANDS = [
    "accept-loss",
    "answers",
    "customers",
    "demo",
    "docs",
    "doctor",
    "follow",
    "history",
    "land",
    "rebuild",
    "report",
    "sample",
    "services",
    "show",
    "sql",
    "verify",
]

Assess = Callable[..., Result]


@pytest.fixture
def assess(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assess:
    """Run a command in a deployment of its own, without a Dagster instance."""
    monkeypatch.setenv("ASSESS_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("ASSESS_LANDING", str(tmp_path / "landing"))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments])


def test_the_help_is_quick_because_nothing_heavy_is_imported() -> None:
    program = (
        "import sys\n"
        "from assess_assets.cli.app import app\n"
        "heavy = {'dagster', 'pyspark', 'deltalake', 'duckdb', 'pyarrow', 'pydantic', 'pandas'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
    assert time.perf_counter() - began < 3  # 0.2 s alone on a machine


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(assess: Assess, command: str) -> None:
    result = assess(command, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")
    assert assess(command, "-h").stdout == result.stdout
    assert command in assess("--help").stdout


@pytest.mark.parametrize("group", [(), ("customers",), ("services",)])
def test_no_command_is_described_in_a_sentence_that_is_cut(
    assess: Assess, group: tuple[str, ...]
) -> None:
    _, commands, described = assess(*group, "-h").stdout.partition("Commands:")
    assert commands
    assert "..." not in described


def test_the_version_is_the_installed_one(assess: Assess) -> None:
    assert assess("--version").stdout == f"assess-assets {version('assess-assets')}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show"], "Missing argument"),
        (["show", "exams"], "Give either --customer KEY or --customer-name NAME."),
        (["show", "exams", "-c", "a", "--customer-name", "a"], "Give either"),
        (["show", "exams", "-c", "a", "--limit", "0"], "Invalid value for '--limit'"),
        (["show", "nope", "-c", "a"], "A customer has no table 'nope'. Tables: source_ranges, "),
        (["show", "customer_overview", "-c", "a"], "A customer has no table 'customer_overview'"),
        (["show", "builds", "-c", "a", "--columns", "x,build"], "Table builds has no column 'x'."),
        (["sample"], "Missing option '--out'"),
        (["sample", "--out", "x", "--defects", "0"], "are of a load: give --attempts too."),
        (["sample", "--out", "x", "--messy", "--customers", "2"], "are of a load: give --attempts"),
        (["sample", "--out", "x", "--messy", "--attempts", "2"], "either --messy or --attempts"),
        (["sample", "--out", "-", "--attempts", "2"], "A load is a folder of many files"),
        (["sample", "--out", "x.json", "--attempts", "2"], "a folder is written: x.json names"),
        (["customers", "--json", "sync"], "give options of sync after it"),
        (["follow", "--every", "soon"], "'soon' is no time to wait: give --every 10s"),
        (
            ["sql", "select 1", "-c", "a", "--timeout", "0"],
            "'0' is no time to wait: give --timeout",
        ),
        (["nonsense"], "No such command 'nonsense'"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_why(
    assess: Assess, arguments: list[str], said: str
) -> None:
    result = assess(*arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_a_name_in_place_of_a_key_is_answered_with_its_key(assess: Assess, tmp_path: Path) -> None:
    result = assess("land", tmp_path / "x.json", "--customer", "Acme & Co")
    assert result.exit_code == 2
    said = " ".join(result.stderr.split())
    assert "give --customer _41cme_20_26_20_43o, or --customer-name 'Acme & Co'" in said


def test_what_the_system_refuses_is_told_with_its_path_and_what_to_do(
    assess: Assess, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for out, fault in ((tmp_path, "Is a directory"), (tmp_path / "file" / "x", "File exists")):
        result = assess("sample", "--messy", "--out", out)
        about = tmp_path if out == tmp_path else tmp_path / "file"
        assert result.exit_code == 1
        assert result.stderr == (
            f"assess: {about}: {fault}. Mend that, or name another path, and run the same again.\n"
        )


def test_sample_writes_the_bytes_that_the_sample_has(assess: Assess, tmp_path: Path) -> None:
    write_sample(tmp_path / "expected.json")
    result = assess("sample", "--out", tmp_path / "new" / "sample.json")
    assert result.exit_code == 0
    written = tmp_path / "new" / "sample.json"
    assert written.read_bytes() == (tmp_path / "expected.json").read_bytes()
    assert "3280 synthetic messages of 3242 attempts" in result.stdout
    piped = assess("sample", "--out", "-")
    assert piped.stdout_bytes == written.read_bytes()
    assert "3280 synthetic messages" in piped.stderr


def test_the_messy_sample_is_the_messy_delivery(assess: Assess, tmp_path: Path) -> None:
    result = assess("sample", "--messy", "--seed", 3, "--out", tmp_path / "m.ndjson")
    assert result.exit_code == 0
    lines = (tmp_path / "m.ndjson").read_text(encoding="utf-8").splitlines()
    assert lines == [line.text for line in messy_lines(3)]
    assert (
        "55 synthetic messages (38 accepted, 2 conflict, 7 duplicate, 8 quarantined)"
        in result.stdout
    )


def test_a_load_is_written_with_its_truth(assess: Assess, tmp_path: Path) -> None:
    out = tmp_path / "load"
    load = ("sample", "--attempts", 300, "--customers", 2, "--defects", 0.1, "--out", out)
    result = assess(*load)
    assert result.exit_code == 0, result.stderr
    assert "customer-0001" in {path.name for path in out.iterdir()}
    truths = [json.loads(line) for line in (out / "truth.ndjson").read_text().splitlines()]
    assert {"kind", "customer", "file", "offset", "fate", "rule", "path"} == set(truths[0])
    assert str(out / "truth.ndjson") in result.stdout
    more = sum(one["file"].startswith("odd-") for one in truths)
    assert f"{300 + more} synthetic messages of 2 customers" in result.stdout
    assert f"{more} of them, in the bad files odd-*, come on top of 300." in result.stdout
    again = assess(*load)
    assert again.exit_code == 2
    assert "exists. Name a folder that is new or empty." in " ".join(again.stderr.split())


def test_a_load_of_one_customer_is_told_in_the_singular(assess: Assess, tmp_path: Path) -> None:
    result = assess("sample", "--attempts", 5, "--out", tmp_path / "load")
    assert "5 synthetic messages of 1 customer, " in result.stdout
    assert "on top of" not in result.stdout


def test_land_puts_the_file_where_runs_read_it(assess: Assess, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[]")
    result = assess("land", tmp_path / "a.json", "--customer-name", "Acme & Co", "--name", "b.json")
    assert result.exit_code == 0
    landed = tmp_path / "landing" / "_41cme_20_26_20_43o" / "b.json"
    assert landed.read_text() == "[]"
    assert str(landed) in result.stdout
    assert "--partition _41cme_20_26_20_43o" in result.stdout


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.json", "is not a file"),
        ("notes.txt", "can't be landed as 'notes.txt'"),
        ("copy.json", "the same content has already landed"),
    ],
)
def test_a_refused_file_is_a_message_and_exit_code_1(
    assess: Assess, tmp_path: Path, name: str, said: str
) -> None:
    for file in ("first.json", "notes.txt", "copy.json"):
        (tmp_path / file).write_text('[{"a": 1}]')
    assert assess("land", tmp_path / "first.json", "-c", "acme").exit_code == 0
    result = assess("land", tmp_path / name, "-c", "acme")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("assess: ")
    assert said in result.stderr
    assert [f.name for f in (tmp_path / "landing" / "acme").iterdir()] == ["first.json"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "A customer's name is empty."),
        ("x" * 121, "is too long: its key would have 121 characters"),
        ("A" * 41, "is too long: its key would have 123 characters"),
        ("a\ud800", "can't be written as UTF-8"),
    ],
)
def test_a_name_that_no_key_can_stand_for_is_refused_and_nothing_is_made(
    assess: Assess, tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / "a.json").write_text("[]")
    result = assess("land", tmp_path / "a.json", "--customer-name", name)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert not (tmp_path / "landing").exists()


def test_without_dagster_home_the_commands_that_need_it_say_what_to_set(assess: Assess) -> None:
    for arguments in (("customers", "sync"), ("customers", "add", "acme")):
        result = assess(*arguments)
        assert result.exit_code == 1
        assert "DAGSTER_HOME is not set" in result.stderr
        assert "export DAGSTER_HOME=" in result.stderr
        assert "cli/dagster.yaml" in result.stderr


def test_customers_that_only_landed_are_listed(assess: Assess, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[]")
    assess("land", tmp_path / "a.json", "--customer-name", "Acme & Co")
    result = assess("customers", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == [
        {
            "key": "_41cme_20_26_20_43o",
            "name": "Acme & Co",
            "registered": None,
            "landing_files": 1,
            "tables": [],
            "messages": 0,
            "problems": [],
        }
    ]


def test_a_customer_without_tables_is_told_how_to_get_some(assess: Assess, tmp_path: Path) -> None:
    for arguments in (("show", "exams"), ("sql", "select 1"), ("history",), ("answers",)):
        result = assess(*arguments, "-c", "nobody")
        assert result.exit_code == 1
        assert "Customer nobody has no tables in file://" in result.stderr
        assert "assess customers sync, then dagster" in result.stderr
    assert not (tmp_path / "lake").exists()


def test_there_is_no_loss_to_accept_where_nothing_was_claimed(assess: Assess) -> None:
    result = assess("accept-loss", "-c", "acme", "--source", "a.json", "--reason", "gone")
    assert result.exit_code == 1
    assert "no messages of a landed file 'a.json' have been claimed" in result.stderr


@pytest.mark.parametrize(
    "lake",
    [
        *("/tmp/a b", "/tmp/a%20b", "/", "file:///", "file://here/lake", "file:/lake"),
        *("hdfs://name:8020/ä", "hdfs://a b/c", "hdfs:///lake"),
    ],
)
def test_a_lake_that_engines_write_elsewhere_is_refused(
    assess: Assess, monkeypatch: pytest.MonkeyPatch, lake: str
) -> None:
    monkeypatch.setenv("ASSESS_LAKE", lake)
    for command in ("customers", "doctor"):
        result = assess(command)
        assert result.exit_code == 1
        assert "Set ASSESS_LAKE to" in result.stderr + result.stdout


@pytest.mark.parametrize(
    ("lake", "root"),
    [
        ("/data/a~b-c_d.e/", "file:///data/a~b-c_d.e"),
        ("file:///data/lake", "file:///data/lake"),
        ("file://localhost/data//lake/", "file:///data/lake"),
        ("hdfs://name:8020//a//b", "hdfs://name:8020/a/b"),
        ("hdfs://name-node.local:8020/lake/", "hdfs://name-node.local:8020/lake"),
    ],
)
def test_other_lakes_are_taken(lake: str, root: str) -> None:
    assert LakeLayout.of(lake).root == root


@pytest.mark.parametrize("page", ["tables", "bad-input"])
def test_the_rendered_pages_are_current(assess: Assess, page: str) -> None:
    file = ROOT / "docs" / f"{page.replace('-', '_')}.md"
    result = assess("docs", "--page", page, "--check", "--out", file)
    assert result.exit_code == 0, result.stderr


def test_an_outdated_tables_page_is_exit_code_1_and_is_left_alone(
    assess: Assess, tmp_path: Path
) -> None:
    page = tmp_path / "tables.md"
    page.write_text("old")
    result = assess("docs", "--check", "--out", page)
    assert result.exit_code == 1
    assert f"Run: assess docs --out {page}" in result.stderr
    assert page.read_text() == "old"
    assert assess("docs", "--out", page).exit_code == 0
    assert page.read_text(encoding="utf-8") == tables_page()


def test_the_tables_page_names_every_table_column_and_fate() -> None:
    page = tables_page()
    for table in TABLES:
        assert f"\n## {table.name}\n\n{table.grain}\n" in page
        for column in table:
            assert f"| `{column.name}` | `{column.type.simpleString()}` |" in page
    fate = next(one for one in table_named("message_ledger") if one.name == "fate")
    assert all(f"`{name}`" in fate.meaning for name in FATES)
    assert fate.meaning.count("`") == 2 * len(FATES)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"text", "text"),
        (b"\xff\x00", "/wA="),
        (float("nan"), "nan"),
        ([{"a": b"x"}], [{"a": "x"}]),
        (None, None),
        (True, True),
        (Decimal("170141183460469231731687303715884105727"), 2**127 - 1),
        (Decimal("12E3"), 12000),
        (Decimal("12.50"), "12.50"),
        (Decimal("3.00"), "3.00"),
        (Decimal("NaN"), "NaN"),
    ],
)
def test_json_has_a_value_for_everything(value: Any, shown: Any) -> None:
    assert json_value(value) == shown


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_an_output_that_is_not_utf_8_gets_all_it_can_hold(tmp_path: Path, encoding: str) -> None:
    def customers(*options: str) -> str:
        command = [sys.executable, "-m", "assess_assets.cli", "customers", *options]
        variables = {
            "ASSESS_LAKE": str(tmp_path / "lake"),
            "ASSESS_LANDING": str(tmp_path / "landing"),
            "PYTHONIOENCODING": encoding,
            "PYTHONPATH": str(ROOT),
        }
        done = subprocess.run(command, capture_output=True, env=variables, check=True)
        return done.stdout.decode(encoding)

    name = "Zażółć & Sons"
    (tmp_path / "landing" / encode_customer(name)).mkdir(parents=True)
    (row,) = json.loads(customers("--json"))
    assert row["name"] == name
    assert name.encode(encoding, "replace").decode(encoding) in customers()


def test_a_terminal_is_never_sent_what_data_would_make_it_do() -> None:
    assert cell("\x1b[31mred\nline") == r"\x1b[31mred\nline"
    assert cell({"a": [1, None]}) == '{"a":[1,null]}'
    assert cell("x" * 50, 10) == "xxxxxxxxx…"
