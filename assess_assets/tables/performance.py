"""Contracts of how well attempts did: exam_performance and question_difficulty.

Averages and shares are over attempts; a column that weighs an attempt by its messages says so.
"""

from pyspark.sql.types import BooleanType, DataType, DoubleType, LongType, StringType

from assess_assets.tables.contract import Column, TableContract
from assess_assets.tables.coordinates import MADE_FROM
from assess_assets.tables.exams import ATTEMPTS, EXAM_NAME, MESSAGES


def _measure(name: str, kind: DataType, meaning: str, source: str, nullable: bool = True) -> Column:
    return Column(name, kind, meaning, (source,), nullable)


_COUNTED = ("incorrect", "correct", "incomplete", "unanswered")

EXAM_PERFORMANCE = TableContract(
    name="exam_performance",
    group="exams",
    grain="One row per exam name: how its attempts scored, by the counts they report.",
    columns=(
        EXAM_NAME,
        MESSAGES,
        ATTEMPTS,
        _measure(
            "scored_attempts",
            LongType(),
            "Attempts with reported counts, of at least one question: averages and shares are over "
            "these.",
            "assessments.score",
            nullable=False,
        ),
        _measure(
            "scored_messages",
            LongType(),
            "Messages of those attempts.",
            "assessments.score",
            nullable=False,
        ),
        *(
            _measure(
                f"average_{name}",
                DoubleType(),
                f"Average number of {name} questions an attempt.",
                f"assessments.reported_{name}",
            )
            for name in _COUNTED
        ),
        *(
            _measure(
                f"average_{name}_by_message",
                DoubleType(),
                f"The same over messages: an attempt sent twice counts twice ({name}).",
                f"assessments.reported_{name}",
            )
            for name in _COUNTED
        ),
        _measure(
            "questions_correct",
            LongType(),
            "Sum of correct questions over scored attempts.",
            "assessments.reported_correct",
        ),
        _measure(
            "questions_total",
            LongType(),
            "Sum of questions over scored attempts.",
            "assessments.reported_total",
        ),
        _measure(
            "average_score",
            DoubleType(),
            "Mean of the attempts' scores.",
            "assessments.score",
        ),
        _measure(
            "average_score_by_message",
            DoubleType(),
            "The same over messages.",
            "assessments.score",
        ),
        _measure(
            "all_correct_attempts",
            LongType(),
            "Attempts whose reported all_correct is true.",
            "assessments.reported_all_correct",
            nullable=False,
        ),
        _measure(
            "all_correct_messages",
            LongType(),
            "Messages of those attempts.",
            "assessments.reported_all_correct",
            nullable=False,
        ),
        _measure(
            "all_correct_share",
            DoubleType(),
            "Share of the scored attempts whose reported all_correct is true.",
            "assessments.reported_all_correct",
        ),
        _measure(
            "score_stddev",
            DoubleType(),
            "Sample standard deviation of the attempts' scores; null below two attempts.",
            "assessments.score",
        ),
        _measure("lowest_score", DoubleType(), "Lowest score.", "assessments.score"),
        _measure("highest_score", DoubleType(), "Highest score.", "assessments.score"),
        Column(
            "is_test",
            BooleanType(),
            "Whether every attempt under this name is test data.",
            ("assessments.is_test",),
        ),
        *MADE_FROM,
    ),
    key=("exam_name",),
    order=("exam_name",),
)

QUESTION_DIFFICULTY = TableContract(
    name="question_difficulty",
    group="exams",
    grain="One row per question of an exam form: how often it was answered wrong.",
    columns=(
        Column(
            "difficulty_rank",
            LongType(),
            "1 for the largest share wrong; ties share a rank; never answered comes last.",
            ("questions.result",),
        ),
        Column("base_exam_id", StringType(), "The exam form.", ("questions.base_exam_id",)),
        Column(
            "exam_name",
            StringType(),
            "Name of the exam (the first by alphabet, if the form has several).",
            ("questions.exam_name",),
        ),
        Column("question_id", StringType(), "The question.", ("questions.question_id",)),
        Column("shown", LongType(), "Attempts that showed it.", ("questions.result",)),
        Column(
            "answered",
            LongType(),
            "Attempts whose result is not unanswered.",
            ("questions.result",),
        ),
        Column("correct", LongType(), "Attempts with a correct answer.", ("questions.result",)),
        Column("incorrect", LongType(), "Attempts with a wrong option.", ("questions.result",)),
        Column(
            "missed_some",
            LongType(),
            "Attempts with only some of the correct options.",
            ("questions.result",),
        ),
        Column("unanswered", LongType(), "Attempts without an answer.", ("questions.result",)),
        Column(
            "share_wrong",
            DoubleType(),
            "(incorrect + missed_some) / answered; null when never answered.",
            ("questions.result",),
            nullable=True,
        ),
        Column("is_test", BooleanType(), "Test data by policy.", ("questions.is_test",)),
        *MADE_FROM,
    ),
    key=("base_exam_id", "question_id"),
    order=("difficulty_rank", "base_exam_id", "question_id"),
)
