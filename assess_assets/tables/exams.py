"""Contracts of how often exams were taken: exams and exam_counts.

Aggregates carry both countings: `messages` (accepted ones and identical copies of them) and
`attempts` (each sitting once). Averages and shares are over attempts; a column that weighs an
attempt by its messages says so in its name.
"""

from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    LongType,
    StringType,
    TimestampType,
)

from assess_assets.tables.contract import Column, TableContract
from assess_assets.tables.coordinates import MADE_FROM

MESSAGES = Column(
    "messages",
    LongType(),
    "Messages: accepted ones and identical copies of them.",
    ("message_ledger.fate", "message_ledger.fingerprint", "assessments.fingerprint"),
)
ATTEMPTS = Column("attempts", LongType(), "Attempts.", ("assessments.user_exam_id",))
_IS_TEST = Column("is_test", BooleanType(), "Test data by policy.", ("assessments.is_test",))
_TAKEN = (
    Column(
        "first_taken_at",
        TimestampType(),
        "Earliest started_at of its attempts.",
        ("assessments.started_at",),
    ),
    Column(
        "last_taken_at",
        TimestampType(),
        "Latest started_at of its attempts.",
        ("assessments.started_at",),
    ),
)
_BASE_EXAM_ID = Column(
    "base_exam_id", StringType(), "Identity of the exam form.", ("assessments.base_exam_id",)
)
EXAM_NAME = Column("exam_name", StringType(), "Name of the exam.", ("assessments.exam_name",))


EXAMS = TableContract(
    name="exams",
    group="exams",
    grain="One row per base exam id: one form of an exam.",
    columns=(
        _BASE_EXAM_ID,
        Column(
            "exam_names",
            ArrayType(StringType()),
            "Names it was taken under, sorted.",
            ("assessments.exam_name",),
        ),
        MESSAGES,
        ATTEMPTS,
        Column(
            "questions_seen",
            LongType(),
            "Distinct questions that its attempts showed.",
            ("questions.question_id",),
        ),
        *_TAKEN,
        _IS_TEST,
        *MADE_FROM,
    ),
    key=("base_exam_id",),
    order=("base_exam_id",),
)

EXAM_COUNTS = TableContract(
    name="exam_counts",
    group="exams",
    grain="One row per exam name: how often it was taken, most popular first.",
    columns=(
        Column(
            "popularity_rank",
            LongType(),
            "1 for the most messages; ties share a rank.",
            ("message_ledger.fate",),
        ),
        EXAM_NAME,
        MESSAGES,
        ATTEMPTS,
        Column(
            "base_exam_ids",
            LongType(),
            "Distinct base exam ids under this name.",
            ("assessments.base_exam_id",),
        ),
        *_TAKEN,
        Column(
            "is_test",
            BooleanType(),
            "Whether every attempt under this name is test data.",
            ("assessments.is_test",),
        ),
        *MADE_FROM,
    ),
    key=("exam_name",),
    order=("popularity_rank", "exam_name"),
)
