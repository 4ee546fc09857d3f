"""One narrow row per attempt with its messages: what every exam aggregate counts.

Both countings come from here: an attempt once, or as often as it was sent.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def count_messages(assessments: DataFrame, ledger: DataFrame) -> DataFrame:
    """Attempts with `messages`: the accepted one and identical copies of it.

    Copies of a conflicting content are not counted: they say something else about the attempt. Only
    copies are looked up, which are few: looking up every message takes memory for all of them.
    """
    copies = (
        ledger.where("fate = 'duplicate'")
        .groupBy("user_exam_id", "fingerprint")
        .agg(F.count(F.lit(1)).alias("copies"))
    )
    attempts = assessments.drop("questions", "unmapped")
    counted = attempts.join(copies, ["user_exam_id", "fingerprint"], "left")
    messages = F.lit(1) + F.coalesce("copies", F.lit(0))
    return counted.withColumn("messages", messages.cast("bigint")).drop("copies")
