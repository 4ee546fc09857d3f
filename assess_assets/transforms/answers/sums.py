"""Sums over all attempts and over those of one exam, weighed by messages and counting once.

Belongs here: one aggregate over attempts as `count_messages` makes them. Means and shares are
divided where they are answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from assess_assets.transforms.scores import in_order, squared_deviations, total

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
    of_each_score = [F.sum(value).alias(name) for name, value in _measures().items()]
    sums = [F.sum(name).alias(name) for name in _COUNTED]
    for time in _TIMES:
        micros = F.unix_micros(time)
        first, last = f"first_{time}", f"last_{time}"
        of_each_score += [F.min(micros).alias(first), F.max(micros).alias(last)]
        sums += [F.min(first).alias(first), F.max(last).alias(last)]
    grouped = (
        attempts.groupBy(chosen.alias("chosen"), "messages", "score")
        .agg(*of_each_score)
        .groupBy("chosen", "messages")
        .agg(*sums, in_order("scored").alias("scores"))
        .withColumn("score", total("scores", "scored"))
    )
    mean = F.col("score") / F.nullif("scored", F.lit(0))
    deviations = squared_deviations("scores", "scored", mean)
    grouped = grouped.withColumn("deviations", deviations).drop("scores")
    # In one order, so that what is added up has the same last digits every time.
    rows = [row.asDict() for row in grouped.orderBy("chosen", "messages").collect()]
    return AttemptFigures(
        whole=_added(rows),
        chosen=_added([row for row in rows if row["chosen"]]),
        windows={time: _window(rows, time) for time in _TIMES},
    )


def _added(rows: list[dict[str, Any]]) -> Sums:
    return Sums(_weighed(rows, [row["messages"] for row in rows]), _weighed(rows, [1] * len(rows)))


def _weighed(rows: list[dict[str, Any]], weights: list[int]) -> Mapping[str, float]:
    """The groups' sums, added, and squares of the scores' deviations from the mean of all."""
    weighed = list(zip(rows, weights, strict=True))
    sums = {name: sum(row[name] * weight for row, weight in weighed) for name in _NAMES}
    mean = sums["score"] / (sums["scored"] or 1)
    deviations = (
        weight * (row["deviations"] + row["scored"] * (row["score"] / row["scored"] - mean) ** 2)
        for row, weight in weighed
        if row["scored"]
    )
    return {**sums, "score_deviations": sum(deviations)}


def _window(rows: list[dict[str, int]], time: str) -> Window:
    return (
        min((row[f"first_{time}"] for row in rows), default=None),
        max((row[f"last_{time}"] for row in rows), default=None),
    )


_COUNTED = (
    "attempts",
    "scored",
    "correct",
    "total",
    "all_correct",
    "scored_all_correct",
    "passing",
    "shown",
    "test",
    "repeated",
)
_NAMES = ("score", *_COUNTED)


def _measures() -> dict[str, Column]:
    """What is summed of one attempt; zero where it has none."""
    score = F.coalesce("score", F.lit(0.0))
    scored = F.col("score").isNotNull()
    all_correct = F.coalesce("reported_all_correct", F.lit(False))
    nothing = F.lit(0).cast("bigint")
    values = (
        F.lit(1).cast("bigint"),
        scored.cast("bigint"),
        F.when(scored, F.col("reported_correct")).otherwise(nothing),
        F.when(scored, F.col("reported_total")).otherwise(nothing),
        all_correct.cast("bigint"),
        (scored & all_correct).cast("bigint"),
        (score > PASSING_SCORE).cast("bigint"),
        F.col("computed_total"),
        F.col("is_test").cast("bigint"),
        (F.col("messages") > 1).cast("bigint"),
    )
    return dict(zip(_COUNTED, values, strict=True))
