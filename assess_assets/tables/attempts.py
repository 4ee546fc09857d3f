"""The contract of assessments, with its nested questions.

What an attempt explodes into is in `detail`; what becomes of the other messages, in `fates`.
"""

from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DecimalType,
    DoubleType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from assess_assets.tables.contract import Column, TableContract
from assess_assets.tables.coordinates import BUILD, batch, coordinates

OPTION_TYPE = StructType(
    [
        StructField("id", StringType()),
        StructField("checked", BooleanType()),
        StructField("correct", BooleanType()),
        StructField("submitted", LongType()),
        StructField("at", TimestampType()),
    ]
)
QUESTION_TYPE = StructType(
    [
        StructField("id", StringType()),
        StructField("user_result", StringType()),
        StructField("user_correct", BooleanType()),
        StructField("user_incomplete", BooleanType()),
        StructField("user_submitted", BooleanType()),
        StructField("options", ArrayType(OPTION_TYPE)),
    ]
)
COUNTS = ("correct", "incorrect", "incomplete", "unanswered", "submitted", "total")
COUNT_MEANINGS = {
    "correct": "questions answered correctly",
    "incorrect": "questions answered with a wrong option",
    "incomplete": "questions of which some correct options, and no wrong one, were checked",
    "unanswered": "questions without an answer",
    "submitted": "questions with an answer",
    "total": "questions shown",
}

_VALUE = ("raw_messages.value",)


def _message_field(name: str, kind: str, meaning: str, **flags: bool) -> Column:
    types = {"string": StringType(), "timestamp": TimestampType(), "double": DoubleType()}
    return Column(name, types[kind], meaning, _VALUE, **flags)


ASSESSMENTS = TableContract(
    name="assessments",
    group="attempts",
    grain="One row per attempt: one sitting of one exam, as its first message told it.",
    columns=(
        _message_field("user_exam_id", "string", "Identity of the attempt.", personal=True),
        _message_field("base_exam_id", "string", "Identity of the exam form."),
        _message_field("exam_name", "string", "Name of the exam."),
        _message_field("started_at", "timestamp", "When the attempt was started."),
        _message_field("keen_id", "string", "Id given by the event collector.", personal=True),
        _message_field("keen_timestamp", "timestamp", "When the event happened, to microseconds."),
        _message_field("keen_created_at", "timestamp", "When the collector stored it."),
        Column(
            "keen_timestamp_seconds",
            DecimalType(20, 9),
            "keen_timestamp exactly as sent, in epoch seconds.",
            _VALUE,
        ),
        Column(
            "keen_created_at_seconds",
            DecimalType(20, 9),
            "keen_created_at exactly as sent, in epoch seconds.",
            _VALUE,
        ),
        _message_field("max_attempts", "double", "How often the exam may be taken."),
        Column(
            "certification",
            BooleanType(),
            "Whether the attempt counts towards a certification; null when not said.",
            _VALUE,
            nullable=True,
        ),
        _message_field("sequences_id", "string", "Id of the exam form's sequence of questions."),
        Column("sequences_attempt", LongType(), "Which attempt the sequence says it is.", _VALUE),
        Column("is_test", BooleanType(), "Test data by the customer's policy.", _VALUE),
        *(
            Column(
                f"reported_{name}",
                LongType(),
                f"Number of {COUNT_MEANINGS[name]}, as the message's counts say; null without.",
                _VALUE,
                nullable=True,
            )
            for name in COUNTS
        ),
        Column(
            "reported_all_correct",
            BooleanType(),
            "Whether the message's counts say that every question was answered correctly.",
            _VALUE,
            nullable=True,
        ),
        *(
            Column(
                f"computed_{name}",
                LongType(),
                f"Number of {COUNT_MEANINGS[name]}, counted from the attempt's questions.",
                _VALUE,
            )
            for name in COUNTS
        ),
        Column(
            "computed_all_correct",
            BooleanType(),
            "Whether every question's result is correct (and there is one).",
            _VALUE,
        ),
        Column(
            "mismatch",
            StringType(),
            "How summary and detail agree: `none`; `no_counts` (the message has no counts); "
            "`counts` (reported counts differ from the questions' results); `options` (a "
            "question's result differs from what its options say); `counts_and_options`.",
            _VALUE,
        ),
        Column(
            "score",
            DoubleType(),
            "reported_correct / reported_total: above 1 where a message reports more correct "
            "questions than questions in all; null without counts, or if they are of no question.",
            _VALUE,
            nullable=True,
        ),
        Column(
            "questions",
            ArrayType(QUESTION_TYPE),
            "The questions with their options, in the order in which they were shown.",
            _VALUE,
            personal=True,
        ),
        Column(
            "unmapped",
            StringType(),
            "JSON object, by JSON path, of every value that the contract does not know, and of "
            "every text with more digits than its column holds; null if none.",
            _VALUE,
            nullable=True,
            personal=True,
        ),
        Column(
            "fingerprint",
            StringType(),
            "SHA-256 of the parsed message with object keys sorted: equal for equal content.",
            _VALUE,
            personal=True,
        ),
        *coordinates("raw_messages"),
        batch("raw_messages"),
        BUILD,
    ),
    key=("user_exam_id",),
    order=("batch", "source", "partition", "offset"),
)
