"""What is kept of messages that did not become an attempt, and the ledger of all of them."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_MESSAGE = ["source", "partition", "offset", "batch"]


def quarantine(raw_messages: DataFrame, fates: DataFrame, contract_version: int) -> DataFrame:
    """One row per refused message, with its bytes and the rule it breaks."""
    refused = fates.where("fate = 'quarantined'").select(
        *_MESSAGE, "rule", "json_path", "expected", "found"
    )
    return (
        raw_messages.select(*_MESSAGE, "timestamp", "key", "value")
        .join(refused, _MESSAGE)
        .withColumn("contract_version", F.lit(contract_version).cast("bigint"))
    )


def keep_conflicts(raw_messages: DataFrame, fates: DataFrame) -> DataFrame:
    """One row per further content of an attempt, whole, with the message it conflicts with."""
    conflicts = fates.where("fate = 'conflict'").select(
        *_MESSAGE,
        "user_exam_id",
        "fingerprint",
        F.col("refers_to_source").alias("accepted_source"),
        F.col("refers_to_partition").alias("accepted_partition"),
        F.col("refers_to_offset").alias("accepted_offset"),
    )
    return raw_messages.select(*_MESSAGE, "value").join(conflicts, _MESSAGE)
