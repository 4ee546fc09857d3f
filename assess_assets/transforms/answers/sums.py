"""Sums over all attempts and over those of one exam, weighed by messages and counting once.

Belongs here: one aggregate over attempts as `count_messages` makes them. Means and shares are
divided where they are answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

PASSING_SCORE = 0.7
# First and last time, in microseconds since 1970; None without attempts.
Window: TypeAlias = tuple[int | None, int | None]
_TIMES = ("started_at", "keen_timestamp")


@dataclass(frozen=True)
class Sums:
    """Each figure by message (an attempt counts as often as it was sent) and by attempt."""

    by_message: Mapping[str, float]
    by_attempt: Mapping[str, float]


@dataclass(frozen=True)
class AttemptFigures:
    """What one scan of the attempts tells."""

    whole: Sums
    chosen: Sums
    windows: Mapping[str, Window]


def sum_attempts(attempts: DataFrame, exam: str | None) -> AttemptFigures:
    """Sums over all attempts, and over those of `exam`."""
    chosen = F.lit(False) if exam is None else F.col("exam_name") == F.lit(exam)
    sums: list[Column] = []
    for name, value in _measures().items():
        weighed = value * F.col("messages")
        sums += [F.sum(value).alias(f"attempt_{name}"), F.sum(weighed).alias(f"message_{name}")]
    for time in _TIMES:
        micros = F.unix_micros(time)
        sums += [F.min(micros).alias(f"first_{time}"), F.max(micros).alias(f"last_{time}")]
    grouped = attempts.groupBy(chosen.alias("chosen")).agg(*sums)
    rows = [row.asDict() for row in grouped.collect()]
    return AttemptFigures(
        whole=_added(rows),
        chosen=_added([row for row in rows if row["chosen"]]),
        windows={time: _window(rows, time) for time in _TIMES},
    )


def _added(rows: list[dict[str, float]]) -> Sums:
    def added(weight: str) -> dict[str, float]:
        return {name: sum(row[f"{weight}_{name}"] for row in rows) for name in _NAMES}

    return Sums(added("message"), added("attempt"))


def _window(rows: list[dict[str, int]], time: str) -> Window:
    return (
        min((row[f"first_{time}"] for row in rows), default=None),
        max((row[f"last_{time}"] for row in rows), default=None),
    )


_NAMES = (
    "attempts",
    "scored",
    "score",
    "score_squared",
    "correct",
    "total",
    "all_correct",
    "scored_all_correct",
    "passing",
    "shown",
    "test",
    "repeated",
)


def _measures() -> dict[str, Column]:
    """What is summed of one attempt; zero where it has none."""
    score = F.coalesce("score", F.lit(0.0))
    scored = F.col("score").isNotNull()
    all_correct = F.coalesce("reported_all_correct", F.lit(False))
    nothing = F.lit(0).cast("bigint")
    values = (
        F.lit(1).cast("bigint"),
        scored.cast("bigint"),
        score,
        score * score,
        F.when(scored, F.col("reported_correct")).otherwise(nothing),
        F.when(scored, F.col("reported_total")).otherwise(nothing),
        all_correct.cast("bigint"),
        (scored & all_correct).cast("bigint"),
        (score > PASSING_SCORE).cast("bigint"),
        F.col("computed_total"),
        F.col("is_test").cast("bigint"),
        (F.col("messages") > 1).cast("bigint"),
    )
    return dict(zip(_NAMES, values, strict=True))
