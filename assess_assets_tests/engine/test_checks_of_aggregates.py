"""Checks of aggregates: every column is recounted, and the rows add up."""

from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from assess_assets.cli.comparison import compare
from assess_assets.explain.aggregates import EXPLAINABLE
from assess_assets.explain.explanation import explain
from assess_assets.sample.records import JsonObject
from assess_assets.storage.sandbox import open_tables
from assess_assets.tables.contract import TableContract
from assess_assets.tables.exams import EXAM_COUNTS, EXAMS
from assess_assets.tables.performance import EXAM_PERFORMANCE, QUESTION_DIFFICULTY
from assess_assets.tables.reports import CUSTOMER_OVERVIEW
from assess_assets_tests.damage import Damaged, another
from assess_assets_tests.deliveries import changed, lines
from assess_assets_tests.steps import CUSTOMER, Steps

RECOUNTED = {
    EXAMS: "exams_equal_a_recount",
    EXAM_COUNTS: "exam_counts_equal_a_recount",
    EXAM_PERFORMANCE: "exam_performance_equals_a_recount",
    QUESTION_DIFFICULTY: "question_difficulty_equals_a_recount",
    CUSTOMER_OVERVIEW: "customer_overview_equals_a_recount",
}
SUMMED = {
    "exams": ("exams_add_up_to_all_attempts", "attempts"),
    "exam_counts": ("exam_counts_add_up_to_all_attempts", "messages"),
    "exam_performance": ("exam_performance_adds_up_to_all_attempts", "attempts"),
    "question_difficulty": ("question_difficulty_adds_up_to_all_questions", "shown"),
}


@pytest.mark.parametrize("table", RECOUNTED, ids=lambda table: table.name)
def test_a_wrong_value_in_any_column_differs_from_the_recount(
    table: TableContract, damaged: Damaged
) -> None:
    name = RECOUNTED[table]
    unlike = {*table.key, "build", "batch"}
    wrong = {
        column: another(value)
        for column, value in damaged.rows(table.name)[-1].items()
        if column not in unlike
    }
    before = damaged.change(table.name, -1, **wrong)
    verdict = damaged.verdicts(table.name)[name]
    (row,) = damaged.failing_rows(table.name, name)
    assert not verdict.passed
    assert verdict.blocking
    assert verdict.metadata["failing_rows"] == 1
    assert {key: row[key] for key in table.key} == {key: before[key] for key in table.key}
    assert set(row["differs"].split(", ")) == set(wrong)


@pytest.fixture
def far_above_1(spark: SparkSession, tmp_path: Path) -> Damaged:
    """Three runs over attempts of which some report far more correct answers than questions."""
    acme = Steps(spark, tmp_path)
    for run in range(3):
        reported = [2, 0, 1, 2, 999_999_993 - run, 1, 2, 7_654_321]
        told = [_reporting(f"{run}-{n}", n) for n in reported]
        acme.land(f"{run}.ndjson", lines(*told))
        acme.run()
    return Damaged(acme.lake, tmp_path / "lake", CUSTOMER)


def _reporting(name: str, correct: int) -> JsonObject:
    return changed(name, lambda told: told["sequences"]["counts"].update(correct=correct))


@pytest.mark.parametrize("column", ["average_score", "average_score_by_message", "score_stddev"])
def test_scores_far_above_1_are_compared_by_their_first_digits(
    column: str, far_above_1: Damaged
) -> None:
    name = RECOUNTED[EXAM_PERFORMANCE]
    told = far_above_1.rows("exam_performance")[0][column]
    assert told > 1e7
    for share, passes in ((0.0, True), (1e-12, True), (1e-6, False)):
        before = open_tables(far_above_1.lake.layout, CUSTOMER)
        far_above_1.change("exam_performance", 0, **{column: told * (1 + share)})
        assert far_above_1.verdicts("exam_performance")[name].passed == passes, share
        tables = open_tables(far_above_1.lake.layout, CUSTOMER)
        explained = explain(
            far_above_1.lake.layout,
            CUSTOMER,
            tables,
            EXPLAINABLE["exam_performance"],
            EXAM_PERFORMANCE.column_names,
        )
        differing = [value.column for row in explained.differing for value in row.differing]
        assert differing == ([] if passes else [column]), share
        new = {one["table"]: one["new"] for one in compare(before, tables)}
        assert new["exam_performance"] == (0 if passes else 1), share


def test_a_row_that_is_missing_or_made_up_differs_from_the_recount(damaged: Damaged) -> None:
    lost = damaged.rows("exam_counts")[0]
    damaged.rewrite("exam_counts", lambda rows: rows.append(rows.pop(0) | {"exam_name": "Alchemy"}))
    rows = damaged.failing_rows("exam_counts", "exam_counts_equal_a_recount")
    assert {row["exam_name"] for row in rows} == {"Alchemy", lost["exam_name"]}


def test_the_overviews_other_customers_are_no_business_of_the_recount(damaged: Damaged) -> None:
    damaged.repeat("customer_overview", 0, customer="rival", messages=999)
    assert damaged.verdicts("customer_overview")["customer_overview_equals_a_recount"].passed
    damaged.delete("customer_overview", f"customer = '{damaged.customer}'")
    name = "customer_overview_equals_a_recount"
    assert damaged.failing_rows("customer_overview", name)[0]["customer"] == damaged.customer


@pytest.mark.parametrize("table", SUMMED)
def test_rows_that_do_not_add_up(table: str, damaged: Damaged) -> None:
    name, column = SUMMED[table]
    before = damaged.rows(table)[0][column]
    damaged.change(table, 0, **{column: before + 1})
    verdict = damaged.verdicts(table)[name]
    (row,) = damaged.failing_rows(table, name)
    assert not verdict.passed
    assert verdict.blocking
    told, expected = [value for key, value in row.items() if column in key or "rows" in key]
    assert told == expected + 1


@pytest.mark.parametrize("table", SUMMED)
def test_an_emptied_aggregate_fails(table: str, damaged: Damaged) -> None:
    damaged.delete(table, "batch > 0")
    failed = {name for name, verdict in damaged.verdicts(table).items() if not verdict.passed}
    assert failed == {SUMMED[table][0], *(n for t, n in RECOUNTED.items() if t.name == table)}


def test_an_aggregate_that_is_a_batch_behind_is_compared_with_what_it_was_made_from(
    damaged: Damaged,
) -> None:
    for table in RECOUNTED:
        damaged.replace(table.name, _at_batch(damaged, table.name, 1))
        for verdict in damaged.verdicts(table.name).values():
            assert verdict.passed, verdict.description


def _at_batch(damaged: Damaged, table: str, batch: int) -> list[dict[str, Any]]:
    """The rows as they were when the table was made from that batch."""
    log = DeltaTable(damaged.uri(table))
    for version in range(log.version() + 1):
        rows: list[dict[str, Any]] = (
            DeltaTable(damaged.uri(table), version=version).to_pyarrow_table().to_pylist()
        )
        if rows and rows[0]["batch"] == batch:
            return rows
    raise AssertionError(f"{table} never was at batch {batch}")
