"""One narrow row per attempt with its messages: what every exam aggregate counts.

Both countings come from here: an attempt once, or as often as it was sent.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def count_messages(assessments: DataFrame, ledger: DataFrame) -> DataFrame:
    """Attempts with `messages`: the accepted one and identical copies of it.

    Copies of a conflicting content are not counted: they say something else about the attempt.
    """
    sent = (
        ledger.where("fate in ('accepted', 'duplicate')")
        .groupBy("user_exam_id", "fingerprint")
        .agg(F.count(F.lit(1)).alias("messages"))
    )
    attempts = assessments.drop("questions", "unmapped")
    return attempts.join(sent, ["user_exam_id", "fingerprint"])
