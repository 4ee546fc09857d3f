"""The hardest exams and questions, of those that enough attempts speak for.

Belongs here: which ones are compared, and their order. Of small customers, of whose exams or
questions none was done often, every one counts.
"""

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from assess_assets.transforms.answers.rows import Rows

HARDEST = 10
ENOUGH = 10


@dataclass(frozen=True)
class Hardest:
    """The hardest of those with `at_least` so many attempts, the hardest first."""

    rows: Rows
    at_least: int


def read_hardest_exams(performance: DataFrame) -> Hardest:
    """Means that differ in their last bits alone, as the order of adding makes them, are equal."""
    mean = F.round("average_score", 9)
    return _hardest(performance, "scored_attempts", mean, F.col("exam_name"))


def read_hardest_questions(difficulty: DataFrame) -> Hardest:
    order = (F.desc("share_wrong"), F.desc("answered"), F.col("exam_name"), F.col("question_id"))
    return _hardest(difficulty, "answered", *order)


def _hardest(measured: DataFrame, attempts: str, *order: Column) -> Hardest:
    most = F.max(attempts).over(Window.partitionBy(F.lit(1)))
    real = measured.where(f"not is_test and {attempts} > 0").withColumn("most_attempts", most)
    enough = real.where(f"{attempts} >= {ENOUGH} or most_attempts < {ENOUGH}")
    rows = [row.asDict() for row in enough.orderBy(*order).limit(HARDEST).collect()]
    few = any(row["most_attempts"] < ENOUGH for row in rows)
    return Hardest(rows, 1 if few else ENOUGH)
