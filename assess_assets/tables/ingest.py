"""Contracts of what is read and stored as it came: source_ranges, raw_messages, builds.

These three are the only tables that a rebuild starts from; they are only ever extended.
"""

from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from assess_assets.tables.contract import Column, TableContract
from assess_assets.tables.coordinates import coordinates

SOURCE_RANGES = TableContract(
    name="source_ranges",
    group="ingest",
    grain="One row per range of a source that a batch read, claimed before it was read.",
    columns=(
        Column("batch", LongType(), "Number of the batch, from 1; one batch per run with news."),
        Column(
            "source",
            StringType(),
            "Landed file's name, or topic; `topic@id` for one that was deleted and made again.",
        ),
        Column("partition", IntegerType(), "Partition of the source: Kafka's; 0 for a file."),
        Column("start_offset", LongType(), "First offset of the range."),
        Column(
            "end_offset",
            LongType(),
            "Offset after the last of the range. A file has a message at each offset; a topic at "
            "most one: transactions and compaction leave offsets without a message.",
        ),
        Column(
            "messages",
            LongType(),
            "Messages of the range: of a file as many as offsets; of a topic as many as it served, "
            "counted when they have landed and null until then; none if nothing is read, or was "
            "given up after it had been claimed.",
            nullable=True,
        ),
        Column(
            "start_byte",
            LongType(),
            "Where the range starts in a file of lines; null when a file is read whole.",
            nullable=True,
        ),
        Column("end_byte", LongType(), "Where it ends in that file.", nullable=True),
        Column("identity", StringType(), "SHA-256 of the file; the topic's id."),
        Column("size_bytes", LongType(), "Size of the file in bytes.", nullable=True),
        Column("source_end_offset", LongType(), "The source's end when the range was claimed."),
        Column(
            "source_timestamp",
            TimestampType(),
            "The file's modification time when claimed: its messages' timestamp.",
            nullable=True,
        ),
        Column(
            "kind",
            StringType(),
            "`read`; `refused` (a file whose content landed before under another name: nothing "
            "is read); `lost` (a loss that an operator accepted).",
        ),
        Column(
            "note",
            StringType(),
            "Why a range was refused or lost; what a topic had lost before it was first read.",
            nullable=True,
        ),
        Column("claimed_at", TimestampType(), "When the batch was claimed."),
        Column("run_id", StringType(), "The Dagster run that claimed it."),
    ),
    key=("source", "partition", "start_offset", "end_offset", "kind"),
    unique_where="k.kind <> 'lost'",  # offsets given up twice are lost once
    order=("batch", "source", "partition", "start_offset"),
)

RAW_MESSAGES = TableContract(
    name="raw_messages",
    group="ingest",
    grain="One row per message, exactly as it was read.",
    columns=(
        *coordinates("source_ranges", offset="start_offset"),
        Column(
            "timestamp",
            TimestampType(),
            "The message's timestamp: Kafka's; the file's modification time.",
            ("source_ranges.source_timestamp",),
            nullable=True,
        ),
        Column(
            "timestamp_type",
            StringType(),
            "Whose time that is: `create_time` (the producer's), `log_append_time` (the broker's); "
            "null for a file.",
            nullable=True,
        ),
        Column("key", BinaryType(), "Kafka's key; null for a file.", nullable=True, personal=True),
        Column(
            "value",
            BinaryType(),
            "The message, byte for byte; null for a message that Kafka has without a value.",
            nullable=True,
            personal=True,
        ),
        Column(
            "headers",
            ArrayType(
                StructType([StructField("key", StringType()), StructField("value", BinaryType())])
            ),
            "Kafka's headers, in their order; null without any.",
            nullable=True,
            personal=True,
        ),
        Column(
            "source_defect",
            StringType(),
            "What the source said was wrong when it was read (a cut-off gz, a file that is not "
            "JSON); null for a message that was read whole.",
            nullable=True,
        ),
        Column("batch", LongType(), "Number of the batch that read it.", ("source_ranges.batch",)),
        Column(
            "ingested_at",
            TimestampType(),
            "When its batch was claimed.",
            ("source_ranges.claimed_at",),
        ),
    ),
    key=("source", "partition", "offset"),
    order=("batch", "source", "partition", "offset"),
)

BUILDS = TableContract(
    name="builds",
    group="ingest",
    grain="One row per build: everything below raw_messages is made once per build.",
    columns=(
        Column("build", LongType(), "Number of the build, from 1."),
        Column("reason", StringType(), "Why it was made."),
        Column("contract_version", LongType(), "Version of the message contract."),
        Column("policy_version", LongType(), "Version of the customer's policy."),
        Column(
            "policy_content",
            StringType(),
            "What of the policy the tables' rows depend on, as JSON: which exams are test data. "
            "Null in builds of older code.",
            nullable=True,
        ),
        Column("code_version", LongType(), "Version of the transforms."),
        Column("claimed_at", TimestampType(), "When the build was claimed."),
        Column("run_id", StringType(), "The Dagster run, or the command, that claimed it."),
    ),
    key=("build",),
    order=("build",),
)
