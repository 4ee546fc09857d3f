"""Figures about questions: how long answering them took, and one exam by position.

Belongs here: reading questions into rows of bounded number.
"""

from collections import Counter
from collections.abc import Mapping
from math import ceil

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from assess_assets.transforms.answers.rows import First, read_first

MOST_POSITIONS = 50
ATTEMPTS_AT_ONCE = 250_000


def measure_durations(
    attempts: DataFrame, questions: DataFrame, number_of_attempts: int
) -> Mapping[str, int]:
    """Whole seconds from start to last answer, and from first to last, summed over attempts.

    So many attempts at once as memory has room for, whatever their number.
    """
    slices = ceil(number_of_attempts / ATTEMPTS_AT_ONCE)
    if slices < 2:
        return _sum_durations(attempts, questions)
    total: Counter[str] = Counter()
    for one in range(slices):
        is_in_it = F.pmod(F.xxhash64("user_exam_id"), F.lit(slices)) == one
        total.update(_sum_durations(attempts.where(is_in_it), questions.where(is_in_it)))
    return total


def _sum_durations(attempts: DataFrame, questions: DataFrame) -> dict[str, int]:
    answered = questions.groupBy("user_exam_id").agg(
        F.min(F.unix_seconds("first_answered_at")).alias("first"),
        F.max(F.unix_seconds("last_answered_at")).alias("last"),
    )
    timed = (
        attempts.select("user_exam_id", "messages", F.unix_seconds("started_at").alias("started"))
        .join(answered.where("last is not null"), "user_exam_id")
        .select("messages", F.expr("last - started").alias("until_last"), F.expr("last - first"))
        .toDF("messages", "until_last", "between")
    )
    zero = F.lit(0).cast("bigint")
    sums = timed.agg(
        F.count(F.lit(1)).alias("attempts"),
        *(
            F.coalesce(F.sum(name), zero).alias(name)
            for name in ("messages", "until_last", "between")
        ),
        *(
            F.coalesce(F.sum(F.col(name) * F.col("messages")), zero).alias(f"{name}_by_message")
            for name in ("until_last", "between")
        ),
    )
    return sums.collect()[0].asDict()


def read_positions(attempts: DataFrame, questions: DataFrame, exam: str | None) -> First:
    """How often the first, second, ... question shown was answered correctly, in one exam."""
    if exam is None:
        return First([])
    taken = attempts.where(F.col("exam_name") == F.lit(exam)).select("user_exam_id", "messages")
    correct = F.col("result") == "correct"
    by_position = (
        questions.where(F.col("exam_name") == F.lit(exam))
        .select("user_exam_id", "position", "result")
        .join(taken, "user_exam_id")
        .groupBy("position")
        .agg(
            F.sum("messages").alias("messages"),
            F.count(F.lit(1)).alias("attempts"),
            F.sum(F.when(correct, F.col("messages")).otherwise(0)).alias("correct_messages"),
            F.count_if(correct).alias("correct_attempts"),
        )
    )
    return read_first(MOST_POSITIONS, by_position, "position")
