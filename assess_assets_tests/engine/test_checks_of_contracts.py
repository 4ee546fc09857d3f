"""Checks that follow from contracts: columns, required values and keys of every table."""

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from assess_assets.checks import counting, examine
from assess_assets.checks.contracts import keys_are_unique
from assess_assets.checks.facts import Fact, coordinates_of
from assess_assets.checks.registry import CHECKED_TABLES, checks_of
from assess_assets.tables.contract import TableContract
from assess_assets.tables.detail import OPTIONS
from assess_assets.tables.registry import TABLES, table_named
from assess_assets_tests.damage import Damaged

every_table = pytest.mark.parametrize("table", CHECKED_TABLES, ids=lambda table: table.name)


def test_every_table_is_checked() -> None:
    assert CHECKED_TABLES == TABLES


@pytest.mark.both_engines
def test_a_sound_lake_passes_every_check_that_blocks(damaged: Damaged) -> None:
    found = damaged.all_verdicts()
    failed = {name: verdict.description for name, verdict in found.items() if not verdict.passed}
    assert set(failed) == {"quarantine_rate", "conflict_rate", "mismatch_rate"}, failed
    assert not any(found[name].blocking for name in failed)


def test_a_passing_check_says_how_many_rows_it_compared(damaged: Damaged) -> None:
    verdict = damaged.verdicts("options")["every_option_has_its_question"]
    options, questions = len(damaged.rows("options")), len(damaged.rows("questions"))
    assert verdict.metadata == {"rows_of_options": options, "rows_of_questions": questions}
    compared = f"for customer globex: {options} of options, {questions} of questions."
    assert verdict.description.endswith(compared)


@every_table
def test_a_table_whose_columns_differ_fails_and_nothing_else_is_asked_of_it(
    table: TableContract, damaged: Damaged
) -> None:
    first, second = table.column_names[:2]

    def change(whole: pa.Table) -> pa.Table:
        flags = pa.array([True] * whole.num_rows)
        return whole.drop([first, second]).append_column(second, flags)

    damaged.retype(table.name, change)
    found = damaged.verdicts(table.name)
    schema = found.pop(f"{table.name}_schema_matches_its_contract")
    assert not schema.passed
    assert schema.blocking
    expected = {column.name: column.type.simpleString() for column in table}
    sample = schema.metadata["sample"].value
    assert f"| {first} | {_shown(expected[first])} | absent |" in sample
    assert f"| {second} | {_shown(expected[second])} | boolean |" in sample
    assert all(
        not verdict.passed and "Not examined" in verdict.description for verdict in found.values()
    )


def test_a_column_more_fails_the_schema_and_hinders_no_other_check(damaged: Damaged) -> None:
    damaged.retype(
        "builds", lambda whole: whole.append_column("mood", pa.array(["good"] * whole.num_rows))
    )
    failed = {name for name, verdict in damaged.verdicts("builds").items() if not verdict.passed}
    assert failed == {"builds_schema_matches_its_contract"}


@pytest.mark.parametrize("name", ["assessments", "exams"])
def test_missing_values_are_named_by_column(name: str, damaged: Damaged) -> None:
    table = table_named(name)
    check = f"{name}_required_columns_are_filled"
    empty = [column for column in table.required if column not in coordinates_of(table)]
    last = len(damaged.rows(name)) - 1
    before = damaged.change(name, last, **dict.fromkeys(empty))
    found = damaged.verdicts(name)[check]
    assert not found.passed
    assert found.metadata["failing_rows"] == 1
    where = {column: before[column] for column in coordinates_of(table)}
    assert damaged.failing_rows(name, check) == [where | {"empty_columns": ", ".join(empty)}]


@every_table
def test_each_required_column_is_looked_at(table: TableContract, damaged: Damaged) -> None:
    damaged.change(table.name, 0, **dict.fromkeys(table.column_names))
    name = f"{table.name}_required_columns_are_filled"
    (row,) = damaged.failing_rows(table.name, name)
    assert row["empty_columns"].split(", ") == table.required


@every_table
def test_rows_with_the_same_key_are_listed(table: TableContract, damaged: Damaged) -> None:
    name = f"{table.name}_keys_are_unique"
    other: dict[str, Any] = {}
    if table.key == ("user_exam_id",):
        other["offset"] = 1_000_000
    before = damaged.repeat(table.name, 0, **other)
    found = damaged.verdicts(table.name)[name]
    assert not found.passed
    assert found.metadata["failing_rows"] == 2
    where = {column: before[column] for column in coordinates_of(table)} | {"copies": 2}
    assert damaged.failing_rows(table.name, name) == [where, where | other]


def test_offsets_that_were_given_up_twice_hinder_nobody(damaged: Damaged) -> None:
    for _ in range(2):
        damaged.repeat("source_ranges", 0, kind="lost")
    assert damaged.verdicts("source_ranges")["source_ranges_keys_are_unique"].passed
    damaged.repeat("source_ranges", 0)
    assert not damaged.verdicts("source_ranges")["source_ranges_keys_are_unique"].passed


@pytest.mark.parametrize("name", ["questions", "options"])
def test_in_a_large_table_rows_with_the_same_key_are_suspected_and_then_found(
    name: str, damaged: Damaged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "LARGE_ROWS", 1)
    check = f"{name}_keys_are_unique"
    assert damaged.verdicts(name)[check].passed
    damaged.repeat(name, 0)
    assert damaged.verdicts(name)[check].metadata["failing_rows"] == 2


@pytest.mark.both_engines
def test_the_same_rows_fail_in_large_tables_which_are_suspected_first_and_asked_in_slices(
    damaged: Damaged, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged.repeat("options", -1)  # a key twice, and an option too many
    damaged.change("questions", 0, question_id="another")  # options without their question
    seen = next(i for i, row in enumerate(damaged.rows("message_ledger")) if row["option_count"])
    damaged.change("message_ledger", seen, option_count=99)
    damaged.change("assessments", 0, exam_name=None)
    last = damaged.rows("assessments")[-1]
    damaged.delete("assessments", f"user_exam_id = '{last['user_exam_id']}'")
    whole = _failing(damaged)
    monkeypatch.setattr(counting, "LARGE_ROWS", 1)
    monkeypatch.setattr(counting, "SLICE_ROWS", 150)
    assert _failing(damaged) == whole
    assert {name for name, rows in whole.items() if rows} >= {
        "assessments_required_columns_are_filled",
        "options_keys_are_unique",
        "every_option_has_its_question",
        "every_question_has_its_attempt",
        "every_question_has_all_its_options",
        "every_attempt_has_all_its_questions",
        "validator_and_parser_agree",
        "questions_equal_those_of_their_attempts",
        "options_equal_those_of_their_attempts",
    }


def _failing(damaged: Damaged) -> dict[str, object]:
    return {
        name: verdict.metadata.get("failing_rows")
        for table in ("assessments", "message_ledger", "questions", "options")
        for name, verdict in damaged.verdicts(table).items()
    }


@every_table
def test_a_fact_asked_in_slices_reads_only_tables_that_have_the_column(
    table: TableContract,
) -> None:
    sliced = [check for check in checks_of(table) if isinstance(check, Fact) and check.slices]
    lacking = [
        (fact.name, name)
        for fact in sliced
        for name in fact.tables
        if fact.slices not in table_named(name).column_names
    ]
    assert not lacking


def test_a_suspicion_without_a_cause_is_no_failure(
    damaged: Damaged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "LARGE_ROWS", 1)
    fact = replace(keys_are_unique(OPTIONS), suspicion="select 1 as one from {options} t")
    (verdict,) = examine.examine(damaged.lake, damaged.customer, damaged.policy, [fact])
    assert verdict.passed


@every_table
def test_a_table_that_was_never_made_is_named_and_not_made(
    table: TableContract, damaged: Damaged
) -> None:
    damaged.remove(table.name)
    for verdict in damaged.verdicts(table.name).values():
        assert not verdict.passed
        assert f"Customer globex: table {table.name} (file://" in verdict.description
        assert "--select '*' --partition globex" in verdict.description
    assert not DeltaTable.is_deltatable(damaged.uri(table.name))


def _shown(kind: str) -> str:
    return kind.replace("<", "\\<").replace(">", "\\>")
