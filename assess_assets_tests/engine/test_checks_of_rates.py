"""Rates: they speak up, and stop a customer only above its policy's limit."""

from dataclasses import replace
from typing import Any

import pytest

from assess_assets.customers import CustomerPolicy
from assess_assets_tests.damage import Damaged

RATES = [
    ("message_ledger", "quarantine_rate", "max_quarantine_share", 11, 65),
    ("message_ledger", "conflict_rate", "max_conflict_share", 3, 65),
    ("assessments", "mismatch_rate", "max_mismatch_share", 1, 41),
]
every_rate = pytest.mark.parametrize(("table", "rate", "limit", "rows", "of"), RATES)


def _with_policy(damaged: Damaged, **limits: Any) -> Damaged:
    return replace(damaged, policy=CustomerPolicy.model_validate(limits))


@every_rate
def test_a_rate_below_its_limit_warns_and_blocks_nothing(
    table: str, rate: str, limit: str, rows: int, of: int, damaged: Damaged
) -> None:
    found = damaged.verdicts(table)
    warning, blocking = found[rate], found[f"{rate}_is_within_its_limit"]
    assert (warning.passed, warning.severity.value) == (False, "WARN")
    assert (blocking.passed, blocking.severity.value) == (True, "ERROR")
    assert blocking.blocking
    assert not warning.blocking
    assert warning.metadata["share"] == rows / of
    assert (warning.metadata["rows"], warning.metadata["of"]) == (rows, of)
    assert f"({rows} of {of}: " in warning.description
    assert len(damaged.failing_rows(table, rate)) == rows


@every_rate
def test_a_rate_above_its_limit_blocks_and_names_the_limit(
    table: str, rate: str, limit: str, rows: int, of: int, damaged: Damaged
) -> None:
    strict = _with_policy(damaged, **{limit: 0.01})
    blocking = strict.verdicts(table)[f"{rate}_is_within_its_limit"]
    assert not blocking.passed
    assert f"The policy's limit ({limit}) is 1.0%. What follows is stopped" in blocking.description
    assert "raise the limit in the policy (ASSESS_POLICIES), and re-exec" in blocking.description


@every_rate
def test_a_rate_at_its_limit_does_not_block(
    table: str, rate: str, limit: str, rows: int, of: int, damaged: Damaged
) -> None:
    exact = _with_policy(damaged, **{limit: rows / of})
    assert exact.verdicts(table)[f"{rate}_is_within_its_limit"].passed


def test_a_rate_says_its_reasons_by_number(damaged: Damaged) -> None:
    warning = damaged.verdicts("message_ledger")["quarantine_rate"]
    rules = [row["rule"] for row in damaged.rows("quarantined_messages")]
    for rule in rules:
        assert f"{rule} {rules.count(rule)}" in warning.description
    reasons = warning.metadata["reasons"].value.splitlines()
    assert reasons[:2] == ["| rule | rows |", "| --- | --- |"]
    assert reasons[2] == f"| missing_field | {rules.count('missing_field')} |"


def test_no_such_row_passes(damaged: Damaged) -> None:
    for table in ("quarantined_messages", "conflicting_assessments"):
        damaged.delete(table, "batch > 0")
    found = damaged.verdicts("message_ledger")
    for rate in ("quarantine_rate", "conflict_rate"):
        assert found[rate].passed
        assert found[rate].metadata["share"] == 0.0
        assert found[f"{rate}_is_within_its_limit"].passed


def test_an_empty_table_has_a_rate_of_zero(damaged: Damaged) -> None:
    damaged.delete("assessments", "batch > 0")
    found = damaged.verdicts("assessments")
    assert found["mismatch_rate"].passed
    assert found["mismatch_rate"].metadata["share"] == 0.0
