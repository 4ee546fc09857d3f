"""Contracts of what says what became of each message: message_ledger, quarantined_messages,
conflicting_assessments; and the fates. The attempts themselves are in `attempts`.
"""

from typing import Final

from pyspark.sql.types import BinaryType, IntegerType, LongType, StringType, TimestampType

from assess_assets.tables.contract import Column, TableContract
from assess_assets.tables.coordinates import BUILD, batch, coordinates

FATES: Final = {
    "accepted": "The current version of an attempt: its row in `assessments`.",
    "duplicate": "A later message of a content already seen for its attempt: nothing new in it.",
    "conflict": "The first message of each other content for a known attempt: kept whole in "
    "`conflicting_assessments`.",
    "quarantined": "Not decodable, or breaks the message contract: its bytes and the broken rule "
    "are in `quarantined_messages`.",
}

_VALUE = ("raw_messages.value",)

MESSAGE_LEDGER = TableContract(
    name="message_ledger",
    group="attempts",
    grain="One row per message: its one fate, and why.",
    columns=(
        *coordinates("raw_messages"),
        Column(
            "fate",
            StringType(),
            "`accepted` (the attempt's row), `duplicate` (content seen before), `conflict` (other "
            "content for a known attempt) or `quarantined` (breaks the message contract).",
            _VALUE,
        ),
        Column("why", StringType(), "The reason in words.", _VALUE),
        Column(
            "user_exam_id",
            StringType(),
            "The attempt; null when quarantined.",
            _VALUE,
            nullable=True,
            personal=True,
        ),
        Column(
            "fingerprint",
            StringType(),
            "Fingerprint of the content; null when quarantined.",
            _VALUE,
            nullable=True,
            personal=True,
        ),
        Column(
            "refers_to_source",
            StringType(),
            "For a duplicate, the first message with its content; for a conflict, the accepted "
            "one: its source.",
            ("raw_messages.source",),
            nullable=True,
        ),
        Column(
            "refers_to_partition",
            IntegerType(),
            "The same message's partition.",
            ("raw_messages.partition",),
            nullable=True,
        ),
        Column(
            "refers_to_offset",
            LongType(),
            "The same message's offset.",
            ("raw_messages.offset",),
            nullable=True,
        ),
        Column(
            "question_count",
            LongType(),
            "Questions that the validator saw; null when quarantined.",
            _VALUE,
            nullable=True,
        ),
        Column(
            "option_count",
            LongType(),
            "Options that the validator saw; null when quarantined.",
            _VALUE,
            nullable=True,
        ),
        batch("raw_messages"),
        BUILD,
    ),
    key=("source", "partition", "offset"),
    order=("batch", "source", "partition", "offset"),
)

QUARANTINED_MESSAGES = TableContract(
    name="quarantined_messages",
    group="attempts",
    grain="One row per refused message, with its bytes and the rule it breaks.",
    columns=(
        *coordinates("raw_messages"),
        Column("rule", StringType(), "Name of the rule that the message breaks.", _VALUE),
        Column("json_path", StringType(), "Where in the message.", _VALUE, nullable=True),
        Column("expected", StringType(), "What the contract expects there.", _VALUE, nullable=True),
        Column(
            "found",
            StringType(),
            "What was found, cut short.",
            _VALUE,
            nullable=True,
            personal=True,  # it may be an attempt's id, or a name in the wrong place
        ),
        Column("contract_version", LongType(), "Version of the message contract."),
        Column(
            "timestamp",
            TimestampType(),
            "The message's timestamp.",
            ("raw_messages.timestamp",),
            nullable=True,
        ),
        Column(
            "key", BinaryType(), "Its key.", ("raw_messages.key",), nullable=True, personal=True
        ),
        Column("value", BinaryType(), "Its bytes.", _VALUE, nullable=True, personal=True),
        batch("raw_messages"),
        BUILD,
    ),
    key=("source", "partition", "offset"),
    order=("batch", "source", "partition", "offset"),
)

CONFLICTING_ASSESSMENTS = TableContract(
    name="conflicting_assessments",
    group="attempts",
    grain="One row per further content of an attempt that already has one.",
    columns=(
        Column(
            "user_exam_id", StringType(), "The attempt it conflicts with.", _VALUE, personal=True
        ),
        Column("fingerprint", StringType(), "Fingerprint of this content.", _VALUE, personal=True),
        Column("value", BinaryType(), "The whole message.", _VALUE, personal=True),
        Column(
            "accepted_source",
            StringType(),
            "Source of the attempt's accepted message.",
            ("raw_messages.source",),
        ),
        Column(
            "accepted_partition",
            IntegerType(),
            "Partition of the attempt's accepted message.",
            ("raw_messages.partition",),
        ),
        Column(
            "accepted_offset",
            LongType(),
            "Offset of the attempt's accepted message.",
            ("raw_messages.offset",),
        ),
        *coordinates("raw_messages"),
        batch("raw_messages"),
        BUILD,
    ),
    key=("user_exam_id", "fingerprint"),
    order=("batch", "source", "partition", "offset"),
)
