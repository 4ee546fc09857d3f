"""How attempts scored, per exam name, by the counts that they report.

Sums are of integers, and averages come from them; only a mean of scores adds fractions.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_COUNTED = ("incorrect", "correct", "incomplete", "unanswered")


def measure_exams(attempts: DataFrame) -> DataFrame:
    """One row per exam name. `attempts` as `count_messages` makes them."""
    scored = F.col("score").isNotNull()
    messages_scored = F.sum(F.when(scored, F.col("messages")).otherwise(0))
    weight = F.nullif(messages_scored, F.lit(0))  # no division by zero for a test exam
    averages: list[Column] = []
    for name in _COUNTED:
        reported = F.when(scored, F.col(f"reported_{name}"))
        averages += [
            F.avg(reported).alias(f"average_{name}"),
            (F.sum(reported * F.col("messages")) / weight).alias(f"average_{name}_by_message"),
        ]
    all_correct = F.coalesce(F.col("reported_all_correct"), F.lit(False))
    # Counts of no question may say all_correct, and have no score.
    share = F.sum((scored & all_correct).cast("bigint")) / F.nullif(F.count("score"), F.lit(0))
    return attempts.groupBy("exam_name").agg(
        F.sum("messages").alias("messages"),
        F.count(F.lit(1)).alias("attempts"),
        F.count("score").alias("scored_attempts"),
        messages_scored.alias("scored_messages"),
        *averages,
        F.sum(F.when(scored, F.col("reported_correct"))).alias("questions_correct"),
        F.sum(F.when(scored, F.col("reported_total"))).alias("questions_total"),
        F.avg("score").alias("average_score"),
        (F.sum(F.col("score") * F.col("messages")) / weight).alias("average_score_by_message"),
        F.sum(all_correct.cast("bigint")).alias("all_correct_attempts"),
        F.sum(F.when(all_correct, F.col("messages")).otherwise(0)).alias("all_correct_messages"),
        share.alias("all_correct_share"),
        F.stddev("score").alias("score_stddev"),
        F.min("score").alias("lowest_score"),
        F.max("score").alias("highest_score"),
        F.bool_and("is_test").alias("is_test"),
    )
