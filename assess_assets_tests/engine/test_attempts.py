"""What an attempt's columns hold, and what aggregates count: the semantics of single values.

Belongs here: one message in, values out. Does not: which message wins (`test_semantics.py`).
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from assess_assets.sample.records import JsonObject
from assess_assets_tests.deliveries import FORM, changed, lines, message
from assess_assets_tests.steps import Steps

pytestmark = pytest.mark.both_engines


@pytest.fixture
def acme(spark: SparkSession, tmp_path: Path) -> Steps:
    return Steps(spark, tmp_path / "acme")


def parse(steps: Steps, *messages: Any) -> None:
    """Land the messages and run no further than the parse step needs."""
    steps.land("a.ndjson", lines(*messages))
    steps.stop_before("questions")


def by_attempt(steps: Steps, *columns: str) -> dict[str, tuple[Any, ...]]:
    rows = steps.rows("assessments", "user_exam_id", *columns)
    return {row.pop("user_exam_id"): tuple(row.values()) for row in rows}


def questions(made: JsonObject) -> list[JsonObject]:
    found: list[JsonObject] = made["sequences"]["questions"]
    return found


def test_counts_may_be_absent(acme: Steps) -> None:
    parse(acme, changed("a", lambda made: made["sequences"].pop("counts")), message("b"))
    reported = ("reported_correct", "reported_total", "reported_all_correct", "score")
    found = by_attempt(acme, *reported, "computed_total", "mismatch")
    assert found["a"] == (None, None, None, None, 2, "no_counts")
    counts = message("b")["sequences"]["counts"]
    score = counts["correct"] / counts["total"]
    assert found["b"] == (counts["correct"], 2, counts["all_correct"], score, 2, "none")


def answer_wrongly(made: JsonObject) -> None:
    """Let the first question's options say something else than its result."""
    question = questions(made)[0]
    for option in question["options"]:
        option["checked"] = question["user_result"] == "unanswered"


def count_wrongly(made: JsonObject) -> None:
    made["sequences"]["counts"]["correct"] += 1


def flip_all_correct(made: JsonObject) -> None:
    made["sequences"]["counts"]["all_correct"] ^= True


def both(made: JsonObject) -> None:
    answer_wrongly(made)
    count_wrongly(made)


def without_counts_but_wrongly(made: JsonObject) -> None:
    del made["sequences"]["counts"]
    answer_wrongly(made)


CLASSES: dict[str, tuple[Callable[[JsonObject], object], str]] = {
    "agrees": (lambda made: None, "none"),
    "counts": (count_wrongly, "counts"),
    "flag": (flip_all_correct, "counts"),
    "options": (answer_wrongly, "options"),
    "both": (both, "counts_and_options"),
    "without": (lambda made: made["sequences"].pop("counts"), "no_counts"),
    "without but options": (without_counts_but_wrongly, "options"),
    "no options": (lambda made: questions(made)[0].update(options=[]), "none"),
}


def test_each_way_in_which_summary_and_detail_disagree_has_its_class(acme: Steps) -> None:
    parse(acme, *(changed(name, change) for name, (change, _) in CLASSES.items()))
    found = by_attempt(acme, "mismatch")
    assert found == {name: (expected,) for name, (_, expected) in CLASSES.items()}


def test_reported_and_computed_counts_are_both_kept(acme: Steps) -> None:
    parse(acme, changed("a", count_wrongly))
    right = message("a")["sequences"]["counts"]["correct"]
    assert by_attempt(acme, "reported_correct", "computed_correct") == {"a": (right + 1, right)}


def test_unknown_keys_are_kept_by_their_path(acme: Steps) -> None:
    def extend(made: JsonObject) -> None:
        made["proctor"] = {"name": "none"}
        questions(made)[1]["weight"] = 2.50
        questions(made)[0]["options"][0]["a.b"] = None

    parse(acme, changed("a", extend), message("b"))
    found = by_attempt(acme, "unmapped")
    assert json.loads(found["a"][0]) == {
        "$.proctor": {"name": "none"},
        '$.sequences.questions[0].options[0]["a.b"]': None,
        "$.sequences.questions[1].weight": 2.5,
    }
    assert found["b"] == (None,)


def test_a_question_of_ten_thousand_options_is_taken_like_any_other(acme: Steps) -> None:
    """Each option took its whole question along: half a megabyte of message took gigabytes."""

    def many(made: JsonObject) -> None:
        ids = (f"{number:08d}-0000-4000-8000-000000000000" for number in range(10_000))
        questions(made)[0]["options"] = [{"checked": False, "id": each} for each in ids]

    acme.land("a.ndjson", lines(changed("a", many), message("b")))
    acme.stop_before("exams")
    others = len(questions(message("a"))[1]["options"])
    rest = sum(len(question["options"]) for question in questions(message("b")))
    shown = [row["question_position"] for row in acme.rows("options", "question_position")]
    assert len(shown) == 10_000 + others + rest
    assert acme.values("questions", "options_shown")[0] == 10_000


def test_digits_beyond_a_double_are_kept_and_tell_contents_apart(acme: Steps) -> None:
    def with_number(text: str, attempt: str = "a") -> str:
        return lines(message(attempt)).strip()[:-1] + f', "extra": [{text}]}}'

    told = [
        "0.12345678901234567890",
        "0.1234567890123456789",  # the same number
        "0.12345678901234567891",
        "1e-400",
        "0.0",
        "1.50",
        "1.5",
        "100000000000000000000000.5",
    ]
    acme.land("a.ndjson", "\n".join([*map(with_number, told), with_number("0.1", "b")]))
    acme.stop_before("questions")
    fates = ["accepted", "duplicate", "conflict", "conflict", "conflict", "conflict"]
    assert acme.values("message_ledger", "fate") == [*fates, "duplicate", "conflict", "accepted"]
    kept = {
        row["user_exam_id"]: json.loads(row["unmapped"], parse_float=str)["$.extra"]
        for row in acme.rows("assessments", "user_exam_id", "unmapped")
    }
    assert kept == {"a": ["0.1234567890123456789"], "b": ["0.1"]}


def test_the_last_of_duplicate_keys_wins_for_the_validator_and_the_engine_alike(
    acme: Steps,
) -> None:
    whole = json.dumps(message("a"))
    twice = '{"exam_name": "First", "user_exam_id": "", ' + whole[1:]
    last = whole[:-1] + ', "exam_name": "Last", "certification": "true"}'
    parse(acme, twice, last.replace('"user_exam_id": "a"', '"user_exam_id": "b"'))
    found = by_attempt(acme, "exam_name", "certification")
    assert found == {"a": ("Learning Git", False), "b": ("Last", True)}


def test_certification_is_yes_no_or_not_said(acme: Steps) -> None:
    parse(
        acme,
        changed("yes", lambda made: made.update(certification="true")),
        changed("no", lambda made: made.update(certification="false")),
        changed("null", lambda made: made.update(certification=None)),
        changed("absent", lambda made: made.pop("certification")),
        changed("refused", lambda made: made.update(certification="maybe")),
    )
    found = by_attempt(acme, "certification")
    assert found == {"yes": (True,), "no": (False,), "null": (None,), "absent": (None,)}
    assert acme.values("quarantined_messages", "json_path") == ["$.certification"]


INSTANTS = {
    "2018-01-23T21:42:37.506Z": datetime(2018, 1, 23, 21, 42, 37, 506_000, UTC),
    "2018-01-23T21:42:37Z": datetime(2018, 1, 23, 21, 42, 37, 0, UTC),
    "2018-01-24T03:12:37.5+05:30": datetime(2018, 1, 23, 21, 42, 37, 500_000, UTC),
    "2018-01-23T13:42:37.506001-08:00": datetime(2018, 1, 23, 21, 42, 37, 506_001, UTC),
    "2018-01-23T21:42:37.506001999+00:00": datetime(2018, 1, 23, 21, 42, 37, 506_001, UTC),
    "1970-01-01T18:00:00+18:00": datetime(1970, 1, 1, tzinfo=UTC),
}


def test_times_with_an_offset_are_the_same_instant_in_utc(acme: Steps) -> None:
    def at(instant: str) -> Callable[[JsonObject], None]:
        def change(made: JsonObject) -> None:
            made["started_at"] = instant
            questions(made)[0]["options"][0]["at"] = instant

        return change

    parse(acme, *(changed(instant, at(instant)) for instant in INSTANTS))
    found = by_attempt(acme, "started_at", "questions")
    told = {name: (row[0], row[1][0]["options"][0]["at"]) for name, row in found.items()}
    assert told == {name: (expected, expected) for name, expected in INSTANTS.items()}


def test_keens_times_keep_every_decimal_and_are_cut_off_to_microseconds(acme: Steps) -> None:
    sent = ["1516743757.506", "1516743757.123456789", "0.000000999", "7258118399.999999999", "12"]
    parse(
        acme,
        *(
            changed(
                each,
                lambda made, each=each: made.update(  # type: ignore[misc]
                    keen_timestamp=each, keen_created_at=each
                ),
            )
            for each in sent
        ),
    )
    found = by_attempt(acme, "keen_timestamp_seconds", "keen_created_at_seconds", "keen_timestamp")
    assert {name: row[:2] for name, row in found.items()} == {
        each: (Decimal(each), Decimal(each)) for each in sent
    }
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    micros = {name: (row[2] - epoch) // (datetime.resolution) for name, row in found.items()}
    assert micros == {each: int(Decimal(each) * 1_000_000) for each in sent}


def test_test_data_is_flagged_by_its_exam_and_stays_countable(acme: Steps) -> None:
    test = changed("t", lambda made: made.update(base_exam_id="example-id", exam_name="Example"))
    acme.land("a.ndjson", lines(test, message("a")))
    acme.run()
    flagged = [("Example", True), ("Learning Git", False)]
    for table in ("assessments", "exam_counts", "exam_performance"):
        rows = acme.rows(table, "exam_name", "is_test")
        assert sorted(tuple(row.values()) for row in rows) == flagged
    for table in ("questions", "options", "exams", "question_difficulty"):
        rows = acme.rows(table, "base_exam_id", "is_test")
        assert {tuple(row.values()) for row in rows} == {
            ("example-id", True),
            (FORM.base_exam_id, False),
        }


def test_messages_count_copies_of_the_accepted_content_and_no_copies_of_conflicts(
    acme: Steps,
) -> None:
    a, other = message("a"), message("a", 1)
    acme.land("a.ndjson", lines(a, a, other, other, other, message("b")))
    acme.land("b.ndjson", lines(a))
    acme.run()
    for table in ("exam_counts", "exams", "exam_performance"):
        assert acme.rows(table, "messages", "attempts") == [{"messages": 4, "attempts": 2}]


def test_averages_are_over_attempts_and_beside_them_by_message(acme: Steps) -> None:
    def scored(correct: int) -> Callable[[JsonObject], None]:
        return lambda made: made["sequences"]["counts"].update(correct=correct, total=4)

    a, b = changed("a", scored(4)), changed("b", scored(1))
    unscored = changed("c", lambda made: made["sequences"].pop("counts"))
    acme.land("a.ndjson", lines(a, a, a, b, unscored))
    acme.run()
    columns = ("attempts", "messages", "scored_attempts", "scored_messages")
    averages = ("average_correct", "average_correct_by_message")
    scores = ("average_score", "average_score_by_message", "questions_correct", "questions_total")
    assert [tuple(row.values()) for row in acme.rows("exam_performance", *columns)] == [
        (3, 5, 2, 4)
    ]
    assert [tuple(row.values()) for row in acme.rows("exam_performance", *averages)] == [
        (2.5, 3.25)
    ]
    (row,) = acme.rows("exam_performance", *scores)
    assert tuple(row.values()) == pytest.approx((0.625, 0.8125, 5, 8), abs=1e-9)
