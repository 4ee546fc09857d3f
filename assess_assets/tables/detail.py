"""Contracts of what an attempt explodes into: questions and options.

Every row names its attempt and its message. The attempt itself is in `attempts`.
"""

from pyspark.sql.types import BooleanType, LongType, StringType, TimestampType

from assess_assets.tables.contract import Column, TableContract
from assess_assets.tables.coordinates import BUILD, batch, coordinates

_OF_ATTEMPT = (
    Column(
        "user_exam_id",
        StringType(),
        "The attempt.",
        ("assessments.user_exam_id",),
        personal=True,
    ),
    Column("base_exam_id", StringType(), "The exam form.", ("assessments.base_exam_id",)),
    Column("exam_name", StringType(), "Name of the exam.", ("assessments.exam_name",)),
    Column("is_test", BooleanType(), "Test data by policy.", ("assessments.is_test",)),
)
_QUESTIONS = ("assessments.questions",)

QUESTIONS = TableContract(
    name="questions",
    group="attempts",
    grain="One row per question of one attempt.",
    columns=(
        *_OF_ATTEMPT,
        Column(
            "position", LongType(), "Index in the attempt, from 0, in the order shown.", _QUESTIONS
        ),
        Column("question_id", StringType(), "Identity of the question.", _QUESTIONS),
        Column(
            "result",
            StringType(),
            "The message's user_result: `correct`, `missed_some`, `incorrect` or `unanswered`.",
            _QUESTIONS,
        ),
        Column(
            "computed_result",
            StringType(),
            "The result that the options say: `unanswered` when none is checked, `correct` when "
            "just the correct ones are, `missed_some` when only correct ones but not all are, "
            "else `incorrect`; null for a question without options.",
            _QUESTIONS,
            nullable=True,
        ),
        Column("user_correct", BooleanType(), "The message's user_correct.", _QUESTIONS),
        Column("user_incomplete", BooleanType(), "The message's user_incomplete.", _QUESTIONS),
        Column("user_submitted", BooleanType(), "The message's user_submitted.", _QUESTIONS),
        Column("options_shown", LongType(), "Number of options.", _QUESTIONS),
        Column("options_checked", LongType(), "Number of checked options.", _QUESTIONS),
        Column("options_correct", LongType(), "Number of correct options.", _QUESTIONS),
        Column(
            "options_correct_checked", LongType(), "Number of correct, checked ones.", _QUESTIONS
        ),
        Column(
            "first_answered_at",
            TimestampType(),
            "Earliest time at which an option was ticked or unticked; null when none was.",
            _QUESTIONS,
            nullable=True,
        ),
        Column("last_answered_at", TimestampType(), "Latest such time.", _QUESTIONS, nullable=True),
        *coordinates("assessments"),
        batch("assessments"),
        BUILD,
    ),
    key=("user_exam_id", "position"),
    order=("batch", "source", "partition", "offset", "position"),
)

OPTIONS = TableContract(
    name="options",
    group="attempts",
    grain="One row per option of one question of one attempt.",
    columns=(
        *_OF_ATTEMPT,
        Column(
            "question_position", LongType(), "Position of its question in the attempt.", _QUESTIONS
        ),
        Column("question_id", StringType(), "Identity of its question.", _QUESTIONS),
        Column(
            "position", LongType(), "Index in the question, from 0, in the order shown.", _QUESTIONS
        ),
        Column("option_id", StringType(), "Identity of the option.", _QUESTIONS),
        Column("checked", BooleanType(), "Whether it was checked in the end.", _QUESTIONS),
        Column("is_correct", BooleanType(), "Whether it is a correct option.", _QUESTIONS),
        Column(
            "correct",
            BooleanType(),
            "The message's own `correct`; null when the message leaves it out.",
            _QUESTIONS,
            nullable=True,
        ),
        Column(
            "submitted",
            LongType(),
            "The message's own `submitted`; null when left out.",
            _QUESTIONS,
            nullable=True,
        ),
        Column(
            "at",
            TimestampType(),
            "When it was last ticked or unticked; null when it never was.",
            _QUESTIONS,
            nullable=True,
        ),
        *coordinates("assessments"),
        batch("assessments"),
        BUILD,
    ),
    key=("user_exam_id", "question_position", "position"),
    order=("batch", "source", "partition", "offset", "question_position", "position"),
)
