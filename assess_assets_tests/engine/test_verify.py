"""`assess verify`: what only the messages' bytes can prove, and what it says of each damage."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from assess_assets.assets.builds import claim_rebuild, running_versions
from assess_assets.checks.verification import examine_all, make_anew
from assess_assets.cli.app import app
from assess_assets.tables.registry import TABLES
from assess_assets_tests.conftest import ENGINE
from assess_assets_tests.damage import Damaged, Row, another, where_it_was
from assess_assets_tests.deliveries import lines, of_every_fate
from assess_assets_tests.steps import NOON, Steps

Verify = Callable[..., Result]
REBUILD = "assess rebuild --customer globex"


@pytest.fixture
def verify(damaged: Damaged, monkeypatch: pytest.MonkeyPatch) -> Verify:
    monkeypatch.setenv("ASSESS_LAKE", str(damaged.root))
    monkeypatch.setenv("ASSESS_SPARK", ENGINE)
    return lambda *arguments: CliRunner().invoke(app, ["verify", "-c", "globex", *arguments])


def _found(result: Result) -> dict[str, Any]:
    """The document; by table, the rows that differ."""
    told: dict[str, Any] = json.loads(result.stdout)
    told["tables"] = {one["table"]: one["differing_rows"] for one in told["tables"]}
    return told


def _versions(damaged: Damaged) -> dict[str, int]:
    pins = {each.name: damaged.lake.pin_existing(each, damaged.customer) for each in TABLES}
    return {name: pin.version for name, pin in pins.items() if pin}


@pytest.mark.both_engines
def test_sound_tables_are_proven_and_nothing_is_written(verify: Verify, damaged: Damaged) -> None:
    before = _versions(damaged)
    result = verify()
    assert result.exit_code == 0, result.output
    ledger = next(line for line in result.stdout.splitlines() if line.startswith("message_ledger"))
    assert ledger.split() == ["message_ledger", str(len(damaged.rows("message_ledger"))), "0"]
    assert "checks that block hold." in result.stdout
    assert _versions(damaged) == before


@pytest.mark.both_engines
def test_changed_bytes_are_found_though_all_tables_agree(verify: Verify, damaged: Damaged) -> None:
    accepted = where_it_was(damaged.rows("assessments")[0])
    (index,) = (
        place
        for place, row in enumerate(damaged.rows("raw_messages"))
        if where_it_was(row) == accepted
    )
    value = damaged.rows("raw_messages")[index]["value"]
    changed = value.replace(b'"keen_id"', b'"keen_id" ').replace(b"started_at", b"started_on")
    damaged.change("raw_messages", index, value=changed)
    result = verify("--json")
    assert result.exit_code == 1
    told = _found(result)
    assert told["failed_checks"] == []
    assert accepted in [where_it_was(row) for row in told["tables"]["message_ledger"]]
    assert accepted | {"differs": "is not to be there"} in told["tables"]["assessments"]
    assert accepted | {"differs": "is missing"} in told["tables"]["quarantined_messages"]
    assert "messages that have changed since they were judged, in raw_messages" in result.stderr
    assert "Do not rebuild" in result.stderr
    assert REBUILD not in result.stderr


def test_a_message_that_lost_its_bytes_is_found(verify: Verify, damaged: Damaged) -> None:
    before = damaged.change("raw_messages", 0, value=None)
    told = _found(verify("--json"))
    row = next(
        row for row in told["tables"]["message_ledger"] if where_it_was(row) == where_it_was(before)
    )
    assert "fingerprint" in row["differs"]


# Values of an attempt that are in no other table, and can't be counted.
WRONG: list[Row] = [
    {"started_at": datetime(2020, 1, 1, tzinfo=UTC)},
    {"keen_id": "another"},
    {"max_attempts": 77.0},
    {"certification": True},
    {"sequences_id": "another"},
    {"sequences_attempt": 99},
    {"unmapped": '{"$.novelty": 1}'},
    {"reported_submitted": 99, "computed_submitted": 99},
]


def test_each_value_that_only_the_bytes_know(verify: Verify, damaged: Damaged) -> None:
    before = damaged.rows("assessments")[: len(WRONG)]
    damaged.rewrite(
        "assessments", lambda rows: [row.update(w) for row, w in zip(rows, WRONG, strict=False)]
    )
    result = verify("--json")
    assert result.exit_code == 1
    found = _found(result)["tables"]
    assert found.pop("assessments") == [
        where_it_was(row) | {"differs": ", ".join(wrong)}
        for row, wrong in zip(before, WRONG, strict=True)
    ]
    del found["customer_report"]  # which is about the stored attempts, and so differs
    assert not any(found.values())
    assert REBUILD in result.stderr


def test_an_option_that_was_changed_wherever_it_is_told(verify: Verify, damaged: Damaged) -> None:
    before = damaged.rows("assessments")[0]

    def change(rows: list[Row]) -> None:
        rows[0]["questions"][0]["options"][0]["submitted"] = 77

    damaged.rewrite("assessments", change)
    damaged.change("options", 0, submitted=77)
    told = _found(verify("--json"))
    assert told["failed_checks"] == []
    assert told["tables"]["assessments"] == [where_it_was(before) | {"differs": "questions"}]


BESIDE = {
    "quarantined_messages": ["value", "found", "timestamp"],
    "conflicting_assessments": ["value", "build"],
    "message_ledger": ["why"],
}


def test_values_beside_the_attempts(verify: Verify, damaged: Damaged) -> None:
    differing: dict[str, list[Row]] = {
        table: [_damage(damaged, table, index, column) for index, column in enumerate(columns)]
        for table, columns in BESIDE.items()
    }
    sound: dict[str, list[Row]] = {"assessments": [], "customer_report": []}
    assert _found(verify("--json"))["tables"] == sound | differing


def _damage(damaged: Damaged, table: str, index: int, column: str) -> Row:
    value = damaged.rows(table)[index][column]
    wrong = value + b"?" if isinstance(value, bytes) else another(value)
    before = damaged.change(table, index, **{column: wrong})
    return where_it_was(before) | {"differs": column}


def test_the_report_of_another_customer(verify: Verify, damaged: Damaged) -> None:
    def change(rows: list[Row]) -> None:
        rows[0]["content"] = rows[0]["content"].replace("globex", "acme")

    damaged.rewrite("customer_report", change)
    found = _found(verify("--json"))["tables"]
    assert found["customer_report"] == [{"format": "html", "differs": "content"}]


def test_a_report_that_is_behind_is_not_compared(verify: Verify, damaged: Damaged) -> None:
    damaged.rewrite("customer_report", lambda rows: [row.update(batch=1) for row in rows])
    result = verify("--json")
    assert result.exit_code == 0
    assert "customer_report" not in _found(result)["tables"]


def test_people_are_told_the_checks_that_fail_and_the_first_rows_that_differ(
    verify: Verify, damaged: Damaged
) -> None:
    damaged.delete("options", "position = 0")
    damaged.rewrite("assessments", lambda rows: [row.update(keen_id="x") for row in rows])
    result = verify("--limit", "3")
    assert result.exit_code == 1
    assert result.stdout.count("keen_id") == 3
    assert "Only the first 3 rows: --limit gives more." in result.stderr
    assert "every_question_has_all_its_options: Customer globex, table options" in result.stdout
    assert 'The rows: assess sql --customer globex "' in result.stdout
    assert "every_question_has_all_its_options" in result.stderr
    assert REBUILD in result.stderr


def test_rows_that_a_crash_left_are_not_compared(verify: Verify, damaged: Damaged) -> None:
    damaged.repeat("quarantined_messages", 0, batch=99, offset=99)
    assert verify().exit_code == 0


def _steps(damaged: Damaged) -> Steps:
    """To run the customer further."""
    return Steps(damaged.lake.spark, damaged.root.parent, customer="globex", now=lambda: NOON)


@pytest.mark.parametrize("stopped_before", ["assessments", "message_ledger", "questions", "exams"])
def test_a_rebuild_that_is_not_done_is_told_and_nothing_is_compared(
    verify: Verify, damaged: Damaged, stopped_before: str
) -> None:
    steps = _steps(damaged)
    claim_rebuild(steps.lake, "globex", running_versions(damaged.policy), "why not", "run")
    steps.stop_before(stopped_before)
    result = verify()
    assert (result.exit_code, result.stdout) == (1, "")
    told = f"Customer globex: table {stopped_before} holds builds 1 to 1, and the customer's build"
    assert f"{told} is 2: a rebuild is under way, or was stopped." in result.stderr
    assert result.stderr.strip().endswith("--select '*' --partition globex")


@pytest.mark.parametrize("stopped_before", ["questions", "options"])
def test_a_run_that_is_not_done_is_told_and_nothing_is_compared(
    verify: Verify, damaged: Damaged, stopped_before: str
) -> None:
    steps = _steps(damaged)
    steps.land("new.ndjson", lines(*of_every_fate("new-")))
    steps.stop_before(stopped_before)
    result = verify()
    assert (result.exit_code, result.stdout) == (1, "")
    told = f"Customer globex: table {stopped_before} ends at batch 2, and the ledger has its "
    assert f"{told}attempts up to batch 3: a run is under way, or was stopped." in result.stderr


@pytest.mark.parametrize("is_rebuild", [True, False], ids=["a rebuild", "a run"])
def test_what_is_written_meanwhile_is_not_looked_at(damaged: Damaged, is_rebuild: bool) -> None:
    lake = damaged.lake.at_one_moment("globex")
    steps = _steps(damaged)
    if is_rebuild:
        claim_rebuild(steps.lake, "globex", running_versions(damaged.policy), "why not", "run")
    steps.land("new.ndjson", lines(*of_every_fate("new-")))
    steps.stop_before("questions")
    assert not any(one.differing for one in make_anew(lake, "globex", damaged.policy))
    found = examine_all(lake, "globex", damaged.policy)
    assert [one.name for one in found if one.blocking and not one.passed] == []


def test_tables_that_are_not_made_yet_are_named(verify: Verify, damaged: Damaged) -> None:
    damaged.remove("options")
    result = verify()
    assert result.exit_code == 1
    assert "Customer globex: table options (" in result.stderr
    assert "does not exist yet" in result.stderr
    assert "--partition globex" in result.stderr


def test_a_customer_without_tables_gets_none(damaged: Damaged, verify: Verify) -> None:
    result = CliRunner().invoke(app, ["verify", "--customer", "nobody"])
    assert result.exit_code == 1
    assert "Customer nobody has no tables" in result.stderr
    assert not (damaged.root / "nobody").exists()
