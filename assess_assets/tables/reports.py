"""Contracts of what people read: a customer's report, and the operator's overview of customers."""

from pyspark.sql.types import LongType, StringType, TimestampType

from assess_assets.tables.contract import Column, TableContract
from assess_assets.tables.coordinates import MADE_FROM

_LEDGER = ("message_ledger.fate",)

FORMATS = ("markdown", "html")

CUSTOMER_REPORT = TableContract(
    name="customer_report",
    group="reports",
    grain="One row per format of the customer's report: markdown, html.",
    columns=(
        Column("format", StringType(), "`markdown` or `html`."),
        Column(
            "content",
            StringType(),
            "The report: each answer with its definition.",
            (
                "assessments.score",
                "message_ledger.fate",
                "exams.base_exam_id",
                "exam_counts.exam_name",
                "exam_performance.average_score",
                "question_difficulty.share_wrong",
            ),
        ),
        *MADE_FROM,
    ),
    key=("format",),
    order=("format",),
)

CUSTOMER_OVERVIEW = TableContract(
    name="customer_overview",
    group="reports",
    grain="One row per customer: the operator's only table across customers.",
    columns=(
        Column("customer", StringType(), "The customer's key."),
        Column("messages", LongType(), "Messages with a fate.", _LEDGER),
        Column("accepted", LongType(), "Messages with fate `accepted`.", _LEDGER),
        Column("duplicates", LongType(), "Messages with fate `duplicate`.", _LEDGER),
        Column("conflicts", LongType(), "Messages with fate `conflict`.", _LEDGER),
        Column("quarantined", LongType(), "Messages with fate `quarantined`.", _LEDGER),
        Column("attempts", LongType(), "Attempts.", ("assessments.user_exam_id",)),
        Column("exams", LongType(), "Distinct base exam ids.", ("exams.base_exam_id",)),
        Column(
            "last_message_at",
            TimestampType(),
            "Latest timestamp of a message; null without messages.",
            ("raw_messages.timestamp",),
            nullable=True,
        ),
        Column(
            "last_run_at",
            TimestampType(),
            "When the last run with news claimed its batch or build; null before the first.",
            ("source_ranges.claimed_at", "builds.claimed_at"),
            nullable=True,
        ),
        *MADE_FROM,
    ),
    key=("customer",),
    order=("customer",),
    shared=True,
)
