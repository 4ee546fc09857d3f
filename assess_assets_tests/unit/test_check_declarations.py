"""What checks declare, and how they word a result: no engine."""

from itertools import chain

import pytest

from assess_assets.checks.facts import Check, Fact, Rate
from assess_assets.checks.registry import CHECKED_TABLES, CHECKS, checks_of
from assess_assets.checks.suspicions import SUSPICIONS, Suspicion
from assess_assets.checks.verdicts import SAMPLE_ROWS, broken
from assess_assets.tables.registry import TABLES, table_named

ALL = tuple(chain.from_iterable(checks_of(table) for table in CHECKED_TABLES))
every_check = pytest.mark.parametrize("check", ALL, ids=lambda check: check.name)
FACT = next(check for check in ALL if check.name == "exam_counts_equal_a_recount")


def test_no_two_checks_have_the_same_name() -> None:
    names = [spec.name for step in CHECKS for spec in step.check_specs]
    assert sorted(names) == sorted(set(names))


def test_only_rates_do_not_block() -> None:
    warning = {spec.name for step in CHECKS for spec in step.check_specs if not spec.blocking}
    assert warning == {
        "quarantine_rate",
        "conflict_rate",
        "mismatch_rate",
    }


@every_check
def test_a_query_reads_only_tables_that_were_written_before(check: Check) -> None:
    order = [table.name for table in TABLES]
    parsed = {table.name for table in TABLES if table.group == "attempts"}
    own = order.index(check.table)
    for name in check.tables[1:]:
        assert order.index(name) < own or {name, check.table} <= parsed


@every_check
def test_a_query_can_be_pasted_between_double_quotes_of_a_shell(check: Check) -> None:
    assert not set(check.sql) & set('"$`\\!{}')


@pytest.mark.parametrize("suspicion", SUSPICIONS, ids=lambda suspicion: min(suspicion.facts))
def test_a_suspicion_is_about_facts_of_its_table(suspicion: Suspicion) -> None:
    about = [check for check in checks_of(table_named(suspicion.table)) if isinstance(check, Fact)]
    assert suspicion.facts <= {fact.name for fact in about}
    assert suspicion.facts
    read = {name for fact in about if fact.name in suspicion.facts for name in fact.tables}
    assert set(suspicion.tables) == read


@every_check
def test_a_check_says_what_it_means(check: Check) -> None:
    assert check.name == check.name.lower()
    assert " " in check.meaning
    assert isinstance(check, Rate) or check.meaning.endswith(".")


def test_names_from_data_cannot_leave_their_cell_of_the_sample() -> None:
    assert isinstance(FACT, Fact)
    hostile = "a|b\n<img src=x> `c` \u2028" + "d" * 100
    verdict = broken(FACT, "acme", {"exam_counts": 3}, 2, [{"exam_name": hostile, "differs": "x"}])
    header, rule, row = verdict.metadata["sample"].value.split("\n")
    assert (header, rule) == ("| exam_name | differs |", "| --- | --- |")
    assert row.startswith("| a\\|b \\<img src=x\\> \\`c\\`  ddd")
    assert row.endswith("d… | x |")


def test_a_failing_check_shows_the_query_and_the_command_that_runs_it() -> None:
    assert isinstance(FACT, Fact)
    verdict = broken(FACT, "acme", {"exam_counts": 3}, 1, [{"exam_name": "Git", "differs": "x"}])
    assert verdict.metadata["query"].value == f"```sql\n{FACT.sql}\n```"
    command = verdict.metadata["command"].value
    assert command == f'assess sql --customer acme "{" ".join(FACT.sql.split())}"'
    assert "Customer acme, table exam_counts: 1 row found" in verdict.description
    assert SAMPLE_ROWS == 10
