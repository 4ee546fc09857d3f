"""Sums of scores: the same in any order, and with their digits if scores are no shares."""

import statistics
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import Row, SparkSession

from assess_assets.transforms.answers.about_scores import spread
from assess_assets.transforms.answers.sums import AttemptFigures, sum_attempts
from assess_assets.transforms.exam_performance import measure_exams

NOON = datetime(2018, 1, 23, 12, tzinfo=UTC)


def _attempt(score: float | None, messages: int, exam: str) -> Row:
    counts = {f"reported_{name}": 0 for name in ("incorrect", "correct", "incomplete")}
    counts |= {"reported_unanswered": 0, "reported_total": 1, "reported_all_correct": False}
    times = {"started_at": NOON, "keen_timestamp": NOON}
    told = {"computed_total": 1, "is_test": False, "exam_name": exam}
    return Row(score=score, messages=messages, **counts, **times, **told)


def test_a_small_spread_of_large_scores_keeps_its_digits(spark: SparkSession) -> None:
    scores = [1e9, 1e9 - 1, 1e9 - 3, 1e9 - 3, 0.5 + 1e9]
    sent = [1, 2, 1, 30, 1]
    taken = [
        _attempt(*pair, f"Exam {place % 2}")
        for place, pair in enumerate(zip(scores, sent, strict=True))
    ]
    attempts = spark.createDataFrame([*taken, _attempt(None, 3, "Exam 0")])
    whole = sum_attempts(attempts, "Exam 1").whole
    assert spread(whole.by_attempt) == pytest.approx(100 * statistics.stdev(scores))
    weighed = [score for score, times in zip(scores, sent, strict=True) for _ in range(times)]
    assert spread(whole.by_message) == pytest.approx(100 * statistics.stdev(weighed))


@pytest.mark.both_engines
@given(order=st.permutations(range(40)), files=st.integers(1, 7))
@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_averages_and_spread_are_the_same_to_the_last_bit_in_any_order(
    spark: SparkSession, order: list[int], files: int
) -> None:
    """Fractions that are added as they come have another last digit nearly every time."""
    attempts = [
        _attempt(place % 7 / (place % 11 + 7), 1 + place % 3, f"Exam {place % 2}")
        for place in range(40)
    ]

    def measured(rows: list[Row], parts: int) -> tuple[list[Row], AttemptFigures]:
        frame = spark.createDataFrame(rows).repartition(parts)
        return measure_exams(frame).orderBy("exam_name").collect(), sum_attempts(frame, "Exam 1")

    assert measured([attempts[place] for place in order], files) == measured(attempts, 1)
