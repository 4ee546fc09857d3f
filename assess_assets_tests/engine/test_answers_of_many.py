"""Answers of a customer with more exams, days, forms and places than are shown, and odd counts."""

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from pyspark.sql import SparkSession

from assess_assets.sample.records import (
    JsonObject,
    Question,
    Result,
    answered,
    counts,
    make_form,
    stamp,
)
from assess_assets.transforms.answers.answer import Answers
from assess_assets.transforms.answers.exam_figures import MOST_FORMS, UnknownExam
from assess_assets.transforms.answers.question_figures import MOST_POSITIONS
from assess_assets_tests.conftest import Platform
from assess_assets_tests.deliveries import FORM, START, lines, message

EXAMS = 1_040
FORMS_OF_SHARED = MOST_FORMS + 10
PLACES = MOST_POSITIONS + 10
HARDEST = "Exam 0555"  # neither among the most popular nor among the least
LONG = make_form(random.Random("long"), "Long exam", PLACES)
FIRST_DAY = datetime(2015, 1, 1, 12, tzinfo=UTC)


def _taken(name: str, questions: Iterable[Question], result: Result) -> JsonObject:
    """A message about an attempt with the same result at each of these questions."""
    made, rng = message(name), random.Random(name)
    detail = [answered(rng, question, result) for question in questions]
    stamp(rng, detail, START, START)
    made["sequences"] |= {"questions": detail, "counts": counts(detail)}
    return made


def _of_an_exam(number: int, form: str = "") -> JsonObject:
    """All is correct, but in the hardest exam. On a day of the exam's own."""
    name = f"Exam {number:04}"
    result: Result = "incorrect" if name == HARDEST else "correct"
    day = FIRST_DAY + timedelta(days=number)
    return {
        **_taken(f"{number}{form}", FORM.questions, result),
        "exam_name": name,
        "base_exam_id": f"form-{number}{form}",
        "started_at": day.isoformat(),
    }


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Iterator[Platform]:
    with dg.DagsterInstance.ephemeral() as instance:
        platform = Platform(tmp_path_factory.mktemp("many"), instance)
        first = [_of_an_exam(number) for number in range(EXAMS)]
        again = [_of_an_exam(number, "b") for number in range(FORMS_OF_SHARED // 2)]
        platform.land("acme", "many.ndjson", lines(*first, *again, message("long", form=LONG)))
        assert platform.materialize("acme").success
        yield platform


@pytest.fixture(scope="module")
def answers(many: Platform) -> Answers:
    return many.answers("acme", LONG.exam_name)


def test_the_hardest_exam_is_found_among_all_exams_and_not_only_the_shown_ones(
    answers: Answers,
) -> None:
    assert HARDEST not in {row["exam"] for row in answers["performance"].rows}
    assert answers["hardest_exams"].rows[0] == {
        "exam": HARDEST,
        "attempts": 1,
        "messages": 1,
        "average_score": 0.0,
        "average_score_by_message": 0.0,
        "score_stddev": None,
    }


def test_a_name_close_to_that_of_any_exam_is_proposed(many: Platform) -> None:
    told = rf"Did you mean '{HARDEST}'.*List them: assess show exam_counts --customer acme$"
    with pytest.raises(UnknownExam, match=told):
        many.answers("acme", f"{HARDEST}x")


def test_every_day_is_counted_also_of_a_thousand(answers: Answers) -> None:
    days = [(FIRST_DAY + timedelta(days=number)).date().isoformat() for number in range(EXAMS)]
    assert [row["label"] for row in answers["days"].rows if row["label"] in {*days}] == days


@pytest.mark.parametrize(
    ("name", "shown", "told"),
    [
        ("shared_names", MOST_FORMS, "The first 50 rows; 10 more are in the table assessments."),
        ("exam_positions", MOST_POSITIONS, "The first 50 places; 10 more are in the table"),
    ],
)
def test_an_answer_that_is_cut_says_how_many_more_there_are(
    answers: Answers, name: str, shown: int, told: str
) -> None:
    assert len(answers[name].rows) == shown
    assert told in answers[name].filter


def test_only_scored_attempts_have_a_share_of_all_correct(platform: Platform) -> None:
    """Counts of no question are accepted, whatever their all_correct says, and have no score."""
    scored = [_taken(f"scored {number}", FORM.questions, "incorrect") for number in range(5)]
    platform.land("acme", "one.ndjson", lines(*scored, _taken("empty", (), "correct")))
    assert platform.materialize("acme").success
    figures = ("scored_attempts", "all_correct_attempts", "all_correct_share")
    assert platform.rows("exam_performance", "acme", *figures) == [
        {"scored_attempts": 5, "all_correct_attempts": 1, "all_correct_share": 0.0}
    ]
    answers = platform.answers("acme")
    found = {name: answers[name].by_attempt for name in ("all_correct", "all_correct_share")}
    assert found == {"all_correct": 1, "all_correct_share": 0.0}
