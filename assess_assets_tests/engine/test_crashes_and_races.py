"""Whole runs that crash before any commit, or race another at any: a rerun mends everything.

Each case ends by comparing every table, row for row, with a lake that nothing happened to.
Belongs here: crashes and races. Does not: what one write promises (`test_writing.py`).
"""

from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from assess_assets.customers import CustomerPolicy
from assess_assets.storage.delta import LostRace
from assess_assets_tests.deliveries import FORM, lines, message, of_every_fate
from assess_assets_tests.steps import MADE, NOON, WRITTEN, Steps, sample

# The second delivery meets what the first one left: a duplicate and a conflict across batches too.
SECOND = [*of_every_fate("later "), message("a"), message("a", version=2)]
STRICTER = CustomerPolicy.model_validate(
    {"version": 2, "test_exam_ids": {FORM.base_exam_id}}
)  # makes another build


def before_the_first_run(steps: Steps) -> None:
    steps.land("a.ndjson", lines(*of_every_fate()))


def before_a_second_batch(steps: Steps) -> None:
    before_the_first_run(steps)
    steps.run()
    steps.land("b.ndjson", lines(*SECOND))


def before_a_rebuild(steps: Steps) -> None:
    before_the_first_run(steps)
    steps.run()
    steps.policy = STRICTER


def before_a_rebuild_with_news(steps: Steps) -> None:
    before_a_second_batch(steps)
    steps.policy = STRICTER


Situation = Callable[[Steps], None]
SITUATIONS: list[Situation] = [
    before_the_first_run,
    before_a_second_batch,
    before_a_rebuild,
    before_a_rebuild_with_news,
]


class Prepared:
    """Lakes in each situation, and what an undisturbed run makes of them; made once, copied."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self._spark = spark
        self._folder = folder
        self._made: dict[str, tuple[Steps, dict[str, Any]]] = {}

    def __call__(self, situation: Situation, folder: Path) -> tuple[Steps, dict[str, Any]]:
        name = situation.__name__
        if name not in self._made:
            before = Steps(self._spark, self._folder / name)
            situation(before)
            undisturbed = before.copy(self._folder / f"{name}-undisturbed")
            undisturbed.run()
            self._made[name] = before, undisturbed.all_rows()
        before, expected = self._made[name]
        return before.copy(folder), expected


@pytest.fixture(scope="module")
def prepared(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return Prepared(spark, tmp_path_factory.mktemp("situations"))


def written(situation: Situation) -> tuple[str, ...]:
    """The tables that a run in that situation writes, in order."""
    return tuple(
        name for name in WRITTEN if name != "raw_messages" or situation is not before_a_rebuild
    )


def cases(situations: list[Situation]) -> list[Any]:
    return [
        pytest.param(situation, table, id=f"{situation.__name__}-{table}")
        for situation in situations
        for table in sample(written(situation))
    ]


@pytest.mark.parametrize(("situation", "table"), cases(SITUATIONS[:3]))
def test_a_crash_before_any_commit_is_finished_by_the_next_run(
    situation: Situation, table: str, prepared: Prepared, tmp_path: Path
) -> None:
    steps, expected = prepared(situation, tmp_path / "lake")
    assert steps.stop_before(table) == table
    steps.run()
    assert steps.all_rows() == expected


@pytest.mark.parametrize(
    "situation", [before_the_first_run, before_a_second_batch, before_a_rebuild_with_news]
)
def test_runs_that_crash_before_each_commit_in_turn_are_finished_by_the_last(
    situation: Situation, prepared: Prepared, tmp_path: Path
) -> None:
    """The first crashes before the first commit, the next before the second, and so on."""
    steps, expected = prepared(situation, tmp_path / "lake")
    for table in written(situation):
        assert steps.stop_before(table) == table
    steps.run()
    assert steps.all_rows() == expected


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("raw_messages", "builds"),
        ("builds", "assessments"),
        ("conflicting_assessments", "message_ledger"),
        ("message_ledger", "questions"),
        ("questions", "exams"),
    ],
)
def test_two_crashes_in_a_row_are_finished_by_the_next_run(
    first: str, second: str, prepared: Prepared, tmp_path: Path
) -> None:
    steps, expected = prepared(before_a_rebuild_with_news, tmp_path / "lake")
    steps.stop_before(first)
    steps.stop_before(second)
    steps.run()
    assert steps.all_rows() == expected


def pause_before(run: Iterator[str], table: str) -> None:
    """Let the run go on until it has decided what to write to that table."""
    assert any(name == table for name in run)


@pytest.mark.parametrize(("situation", "table"), cases([before_a_rebuild_with_news]))
def test_a_run_that_another_overtakes_at_any_commit_loses_or_agrees(
    situation: Situation, table: str, prepared: Prepared, tmp_path: Path
) -> None:
    steps, expected = prepared(situation, tmp_path / "lake")
    other = Steps(steps.spark, steps.folder, steps.policy)
    overtaken = steps.pauses()
    pause_before(overtaken, table)
    other.run()
    assert other.all_rows() == expected
    if table in ("source_ranges", "builds"):  # before a claim nothing has been decided
        list(overtaken)
    else:
        with pytest.raises(LostRace, match=f"table {table} .* Nothing was written"):
            next(overtaken)
    assert steps.all_rows() == expected
    steps.run()
    assert steps.all_rows() == expected


@pytest.mark.both_engines
def test_runs_that_another_overtakes_at_each_commit_in_turn_all_lose(
    prepared: Prepared, tmp_path: Path
) -> None:
    """The other makes that one commit and crashes before the next; nothing is left to a rerun."""
    steps, expected = prepared(before_a_rebuild_with_news, tmp_path / "lake")
    other = Steps(steps.spark, steps.folder, steps.policy)
    for table, following in zip_longest(WRITTEN[1:], WRITTEN[2:]):
        overtaken = steps.pauses()
        pause_before(overtaken, table)
        if following:
            other.stop_before(following)
        else:
            other.run()
        if table != "builds":  # before a claim nothing has been decided
            with pytest.raises(LostRace, match=f"table {table} .* Nothing was written"):
                next(overtaken)
    assert steps.all_rows() == expected


@pytest.mark.parametrize("table", sample(MADE[:5]))
def test_a_run_that_was_overtaken_by_half_of_another_is_mended(
    table: str, prepared: Prepared, tmp_path: Path
) -> None:
    """The other run crashes in turn; both leave the lake to a third one."""
    steps, expected = prepared(before_a_second_batch, tmp_path / "lake")
    other = Steps(steps.spark, steps.folder)
    overtaken = steps.pauses()
    pause_before(overtaken, "assessments")
    other.stop_before(table)
    if table == "assessments":
        next(overtaken)
    else:
        with pytest.raises(LostRace):
            next(overtaken)
    steps.run()
    assert steps.all_rows() == expected


@pytest.mark.both_engines
def test_a_build_that_two_runs_claim_is_claimed_once(prepared: Prepared, tmp_path: Path) -> None:
    steps, expected = prepared(before_a_rebuild, tmp_path / "lake")
    other = Steps(steps.spark, steps.folder, STRICTER)

    def at_the_claim() -> Any:  # a run reads the clock after it has decided to claim
        steps.now = lambda: NOON
        other.run()
        return NOON

    steps.now = at_the_claim
    with pytest.raises(LostRace, match="another run claimed at the same time"):
        steps.run()
    assert steps.all_rows() == expected
    steps.run()
    assert steps.all_rows() == expected


def test_a_reader_sees_the_old_build_of_a_table_until_the_new_one_is_whole(
    prepared: Prepared, tmp_path: Path
) -> None:
    steps, expected = prepared(before_a_rebuild, tmp_path / "lake")
    old = steps.all_rows()
    seen: list[str] = []
    for table in steps.pauses():
        assert all(steps.comparable(name) == expected[name] for name in seen[-1:] if name in MADE)
        assert steps.comparable(table) == old[table]
        seen.append(table)
    assert [name for name in seen if name in MADE] == list(MADE)
    assert {row["build"] for name in MADE for row in old[name]} == {1}
    assert {row["build"] for name in MADE for row in expected[name]} == {2}
