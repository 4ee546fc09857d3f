"""Sums of scores that are not shares: a message may report more correct questions than it has."""

import statistics
from datetime import UTC, datetime

import pytest
from pyspark.sql import Row, SparkSession

from assess_assets.transforms.answers.about_scores import spread
from assess_assets.transforms.answers.sums import sum_attempts

NOON = datetime(2018, 1, 23, 12, tzinfo=UTC)


def _attempt(score: float | None, messages: int, exam: str) -> Row:
    counts = {"reported_correct": 0, "reported_total": 1, "reported_all_correct": False}
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
