"""What becomes of messages: fates, order of arrival, and sources that misbehave.

Belongs here: statements about whole deliveries. Does not: what a column of one attempt holds
(`test_attempts.py`).
"""

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from assess_assets.sources.ranges import LandedFileChanged
from assess_assets_tests.conftest import ENGINE
from assess_assets_tests.deliveries import FATES, changed, lines, message, of_every_fate, text
from assess_assets_tests.steps import Steps

COORDINATES = ("source", "partition", "offset", "batch", "build")
EXAMPLES = 5 if ENGINE == "sail" else 1  # of up to four runs each
DERIVED = ("assessments", "questions", "options")
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.fixture
def acme(spark: SparkSession, tmp_path: Path) -> Steps:
    return Steps(spark, tmp_path / "acme")


def run_each(steps: Steps, *deliveries: list[Any]) -> Steps:
    """Land each delivery as a file and run: one batch each.

    A file's messages have spaces behind them, for a file that landed before would be refused.
    """
    for _ in land_each(steps, *deliveries):
        steps.run()
    return steps


def judge_each(steps: Steps, *deliveries: list[Any]) -> Steps:
    """`run_each`, but no further than the ledger."""
    for _ in land_each(steps, *deliveries):
        steps.judge()
    return steps


def land_each(steps: Steps, *deliveries: list[Any]) -> Iterator[str]:
    for number, delivery in enumerate(deliveries):
        name = f"{number:02}.ndjson"
        steps.land(name, lines(*(text(each) + " " * number for each in delivery)))
        yield name


def fates(steps: Steps) -> list[tuple[Any, ...]]:
    columns = ("fate", "refers_to_source", "refers_to_offset")
    return [tuple(row.values()) for row in steps.rows("message_ledger", *columns)]


@pytest.mark.both_engines
def test_within_one_batch_every_message_has_its_one_fate(acme: Steps) -> None:
    judge_each(acme, of_every_fate())
    assert acme.fates() == FATES
    file = "00.ndjson"
    assert fates(acme)[3:7] == [
        ("duplicate", file, 0),  # of the accepted message
        ("conflict", file, 1),  # with the accepted message
        ("accepted", None, None),
        ("duplicate", file, 4),  # of the conflict
    ]


def test_across_batches_the_fates_are_the_same(acme: Steps) -> None:
    judge_each(acme, *([each] for each in of_every_fate()))
    assert acme.fates() == FATES
    assert fates(acme)[3:7] == [
        ("duplicate", "00.ndjson", 0),
        ("conflict", "01.ndjson", 0),
        ("accepted", None, None),
        ("duplicate", "04.ndjson", 0),
    ]
    assert acme.values("message_ledger", "batch") == list(range(1, 9))


@pytest.mark.both_engines
def test_each_other_content_is_one_conflict_and_kept_whole(acme: Steps) -> None:
    judge_each(acme, [message("a", version) for version in (0, 1, 2, 1, 0, 2)], [message("a", 2)])
    assert acme.fates() == ["accepted", *["conflict"] * 2, *["duplicate"] * 4]
    kept = acme.rows("conflicting_assessments", "value", "accepted_offset", "user_exam_id")
    assert [json.loads(row["value"]) for row in kept] == [message("a", 1), message("a", 2)]
    assert {(row["accepted_offset"], row["user_exam_id"]) for row in kept} == {(0, "a")}


@pytest.mark.both_engines
def test_every_message_is_in_the_ledger_and_a_refused_one_keeps_its_bytes(acme: Steps) -> None:
    judge_each(acme, of_every_fate())
    where = ("batch", "source", "partition", "offset")
    assert acme.rows("message_ledger", *where) == acme.rows("raw_messages", *where)
    refused = acme.rows("quarantined_messages", "offset", "rule", "value")
    assert refused == [
        {"offset": 2, "rule": "not_json", "value": b"not JSON "},
        {"offset": 7, "rule": "missing_field", "value": b'{"user_exam_id": "a"}'},
    ]


@pytest.mark.both_engines
def test_arrival_is_in_the_order_of_batch_then_source_then_offset(acme: Steps) -> None:
    acme.land("b.ndjson", lines(message("a", 1), message("a", 2)))
    acme.land("a.ndjson", lines(message("a", 3)))
    acme.judge()
    acme.land("0.ndjson", lines(message("a", 4)))  # sorts first, arrives last
    acme.judge()
    found = acme.rows("message_ledger", "source", "offset", "fate")
    assert [tuple(row.values()) for row in found] == [
        ("a.ndjson", 0, "accepted"),
        ("b.ndjson", 0, "conflict"),
        ("b.ndjson", 1, "conflict"),
        ("0.ndjson", 0, "conflict"),
    ]


def backwards(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    return [backwards(each) for each in value] if isinstance(value, list) else value


@pytest.mark.both_engines
def test_key_order_and_whitespace_make_no_other_content_but_the_order_of_a_list_does(
    acme: Steps,
) -> None:
    made = message("a")
    shuffled = changed("a", lambda made: made["sequences"]["questions"].reverse())
    spaced = json.dumps(made, separators=(" , ", " : "))
    judge_each(acme, [made, backwards(made), spaced, shuffled])
    assert acme.fates() == ["accepted", "duplicate", "duplicate", "conflict"]


POOL = [message("a"), message("b"), message("c"), "refused"]


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[Any]]:
    """The pool's messages in any order, some repeated, cut into one to three batches."""
    repeated = draw(st.lists(st.sampled_from(POOL), max_size=3))
    order = draw(st.permutations([*POOL, *repeated]))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=2)))
    bounds = zip([0, *cuts], [*cuts, len(order)], strict=True)
    return [part for start, end in bounds if (part := order[start:end])]


def without_coordinates(steps: Steps) -> dict[str, list[dict[str, Any]]]:
    return {
        name: sorted(
            ({k: v for k, v in row.items() if k not in COORDINATES} for row in steps.rows(name)),
            key=str,
        )
        for name in DERIVED
    }


@pytest.mark.both_engines
@given(deliveries())
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=SLOW, derandomize=True)
def test_order_repetition_and_splitting_of_messages_do_not_change_what_attempts_say(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, parts: list[list[Any]]
) -> None:
    plain = run_each(Steps(spark, tmp_path_factory.mktemp("plain")), POOL)
    other = run_each(Steps(spark, tmp_path_factory.mktemp("other")), *parts)
    assert without_coordinates(other) == without_coordinates(plain)


@pytest.mark.both_engines
def test_any_number_of_batches_equals_a_rebuild_row_for_row(acme: Steps) -> None:
    shuffled = [*of_every_fate(), *of_every_fate("more ")]
    random.Random(1).shuffle(shuffled)
    run_each(acme, shuffled[:3], shuffled[3:4], shuffled[4:9], shuffled[9:])
    before = acme.all_rows("build")
    acme.claim_rebuild()
    acme.run()
    after = acme.all_rows("build")
    assert len(after.pop("builds")) == len(before.pop("builds")) + 1
    assert after == before


def test_a_bounded_run_reads_on_where_the_last_one_stopped(acme: Steps) -> None:
    acme.land("a.ndjson", lines(*of_every_fate()))
    acme.max_messages = 3
    for batches in (1, 2, 3, 3):
        acme.judge()
        assert set(acme.values("source_ranges", "batch")) == set(range(1, batches + 1))
    assert acme.values("raw_messages", "batch") == [1, 1, 1, 2, 2, 2, 3, 3]
    assert acme.fates() == FATES


def test_a_file_whose_content_landed_before_is_refused_and_recorded(acme: Steps) -> None:
    run_each(acme, of_every_fate())
    acme.land("copy.ndjson", lines(*of_every_fate()))
    acme.run()
    claims = acme.rows("source_ranges", "batch", "source", "kind", "note")
    assert [tuple(row.values()) for row in claims] == [
        (1, "00.ndjson", "read", None),
        (2, "copy.ndjson", "refused", "the same content has landed as 00.ndjson"),
    ]
    assert acme.fates() == FATES
    before = acme.versions()
    acme.run()
    assert acme.versions() == before


def test_a_landed_file_that_changed_is_an_error_that_says_what_to_do(acme: Steps) -> None:
    run_each(acme, [message("a")])
    before = acme.all_rows()
    acme.land("00.ndjson", lines(message("a"), message("b")))
    with pytest.raises(LandedFileChanged, match=r"00\.ndjson has changed .* another name"):
        acme.run()
    assert acme.all_rows() == before


DEFECTIVE: dict[str, tuple[bytes, list[str]]] = {
    "text.json": (b"<html>502</html>", ["quarantined"]),
    "cut.json.gz": (gzip.compress(text([message("a"), message("b")]).encode())[:-200], []),
    "cut.ndjson": (lines(message("a"), message("b"))[:-50].encode(), ["accepted", "quarantined"]),
    "cut.json": (text([message("a"), message("b")])[:-50].encode(), ["accepted", "quarantined"]),
    "noise.json.gz": (b"\x1f\x8b" + bytes(range(200)), ["quarantined"]),
}


@pytest.mark.parametrize("name", DEFECTIVE)
def test_a_defective_file_never_blocks_its_customer(acme: Steps, name: str) -> None:
    content, expected = DEFECTIVE[name]
    acme.land(name, content)
    acme.land("z.ndjson", lines(message("z")))
    acme.judge()
    found = acme.rows("message_ledger", "source", "fate")
    assert found[-1] == {"source": "z.ndjson", "fate": "accepted"}
    of_file = [row["fate"] for row in found if row["source"] == name]
    assert of_file[-1] == "quarantined"  # one message says what could not be read
    assert of_file.count("quarantined") == 1
    assert not expected or of_file == expected


def test_an_empty_file_is_claimed_once_and_has_no_message(acme: Steps) -> None:
    acme.land("empty.json", "[]")
    acme.judge()
    acme.judge()
    assert acme.rows("source_ranges", "batch", "end_offset") == [{"batch": 1, "end_offset": 0}]
    assert acme.fates() == []
