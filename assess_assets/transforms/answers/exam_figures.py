"""Figures per exam: the exams with their performance, which one was asked for, names with forms.

Belongs here: reading the exam aggregates into rows of bounded number.
"""

import difflib
from collections.abc import Mapping

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from assess_assets.transforms.answers.rows import First, Rows, read_first

MOST_EXAMS = 500
LEAST_EXAMS = 10
MOST_FORMS = 50
MOST_COMPARED = 10_000  # with a name that nobody took: half a second
ROUNDED = ("incorrect", "correct", "incomplete", "unanswered")


class UnknownExam(Exception):
    """Nobody took an exam of that name."""


def read_exams(counts: DataFrame, performance: DataFrame, exam: str | None) -> Rows:
    """The most popular exams and the least popular ones, and `exam`, each with its performance."""
    averages = [
        F.round(f"average_{name}{weight}", 2).alias(f"average_{name}{weight}")
        for name in ROUNDED
        for weight in ("", "_by_message")
    ]
    measured = performance.select(
        "exam_name",
        *averages,
        "average_score",
        "average_score_by_message",
        "all_correct_attempts",
        "all_correct_messages",
    )
    every = Window.partitionBy(F.lit(1))
    place = F.row_number().over(every.orderBy("popularity_rank", "exam_name"))
    placed = counts.withColumns(
        {
            "place": place,
            "names": F.count(F.lit(1)).over(every),
            "first_taken": F.unix_micros("first_taken_at"),
            "last_taken": F.unix_micros("last_taken_at"),
        }
    )
    kept = (F.col("place") <= MOST_EXAMS) | (F.col("place") > F.col("names") - LEAST_EXAMS)
    if exam is not None:
        kept = kept | (F.lower("exam_name") == exam.lower())
    rows = placed.where(kept).join(measured, "exam_name", "left").orderBy("place").collect()
    return [row.asDict() for row in rows]


def choose_exam(customer: str, exams: Rows, exam: str | None, counts: DataFrame) -> str | None:
    """The exam that is meant: `exam`, or the most popular one that is not test data.

    Capitals matter only where names differ by nothing else. Raises UnknownExam, which proposes
    names from `counts`: `exams` has but the shown ones.
    """
    names: list[str] = [row["exam_name"] for row in exams]
    if exam is None:
        real = [row["exam_name"] for row in exams if not row["is_test"]]
        return next(iter(real or names), None)
    alike = [name for name in names if name.lower() == exam.lower()]
    if exam in names or len(alike) == 1:
        return exam if exam in names else alike[0]
    popular = counts.orderBy("popularity_rank", "exam_name").limit(MOST_COMPARED)
    known = [row.exam_name for row in popular.select("exam_name").collect()]
    lower = {name.lower() for name in known}
    close = difflib.get_close_matches(exam.lower(), sorted(lower), n=3, cutoff=0.4)
    proposed = [repr(name) for like in close for name in known if name.lower() == like]
    meant = f" Did you mean {' or '.join(proposed)}?" if proposed else ""
    raise UnknownExam(
        f"Customer {customer}: table exam_counts has no exam {exam!r}.{meant} "
        f"List them: assess show exam_counts --customer {customer}"
    )


def read_forms_of_shared_names(attempts: DataFrame, counts: DataFrame) -> First:
    """Base exam ids of each name that has several, the most messages first.

    What was taken under that name alone: a base exam id may have other names, too.
    """
    several = counts.where("base_exam_ids > 1").select("exam_name")
    shared = (
        attempts.join(several, "exam_name", "left_semi")
        .groupBy("exam_name", "base_exam_id")
        .agg(F.sum("messages").alias("messages"), F.count(F.lit(1)).alias("attempts"))
    )
    return read_first(MOST_FORMS, shared, "exam_name", F.desc("messages"), "base_exam_id")


def count_totals(counts: DataFrame, exams: DataFrame, difficulty: DataFrame) -> Mapping[str, int]:
    """How many names, forms and questions there are, and how many of them are not test data."""

    def number(frame: DataFrame, name: str, **conditions: str) -> DataFrame:
        picked = [F.count_if(F.expr(text)).alias(key) for key, text in conditions.items()]
        return frame.agg(F.count(F.lit(1)).alias(name), *picked)

    totals = (
        number(counts, "names", real_names="not is_test", shared_names="base_exam_ids > 1")
        .crossJoin(number(exams, "forms", real_forms="not is_test"))
        .crossJoin(
            number(
                difficulty,
                "questions",
                never_wrong="answered > 0 and incorrect + missed_some = 0",
                never_answered="answered = 0",
            )
        )
    )
    return totals.collect()[0].asDict()
