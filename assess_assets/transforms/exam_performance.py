"""How attempts scored, per exam name, by the counts that they report.

Sums are of integers, and averages come from them; only those of scores add fractions (`scores`).
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from assess_assets.transforms.scores import in_order, squared_deviations, total

_COUNTED = ("incorrect", "correct", "incomplete", "unanswered")


def measure_exams(attempts: DataFrame) -> DataFrame:
    """One row per exam name. `attempts` as `count_messages` makes them."""
    exams = _of_each_exam(_of_each_score(attempts))
    by_attempt = F.nullif("scored_attempts", F.lit(0))  # no division by zero for a test exam
    by_message = F.nullif("scored_messages", F.lit(0))
    averages: list[Column] = []
    for name in _COUNTED:
        averages += [
            (F.col(name) / by_attempt).alias(f"average_{name}"),
            (F.col(f"{name}_by_message") / by_message).alias(f"average_{name}_by_message"),
        ]
    deviations = squared_deviations("scores", "attempts", F.col("average_score"))
    several = F.col("scored_attempts") > 1
    variance = F.when(several, deviations / (F.col("scored_attempts") - 1))
    average_score = total("scores", "attempts") / by_attempt
    return exams.withColumn("average_score", average_score).select(
        "exam_name",
        "messages",
        "attempts",
        "scored_attempts",
        "scored_messages",
        *averages,
        F.col("correct").alias("questions_correct"),
        F.col("total").alias("questions_total"),
        "average_score",
        (total("scores", "messages") / by_message).alias("average_score_by_message"),
        "all_correct_attempts",
        "all_correct_messages",
        (F.col("scored_all_correct") / by_attempt).alias("all_correct_share"),
        F.sqrt(variance).alias("score_stddev"),
        "lowest_score",
        "highest_score",
        "is_test",
    )


def _of_each_score(attempts: DataFrame) -> DataFrame:
    """One row per exam name and score, null included."""
    all_correct = F.coalesce(F.col("reported_all_correct"), F.lit(False))
    sums: list[Column] = [F.sum("reported_total").alias("total")]
    for name in _COUNTED:
        reported = F.col(f"reported_{name}")
        sums += [
            F.sum(reported).alias(name),
            F.sum(reported * F.col("messages")).alias(f"{name}_by_message"),
        ]
    return attempts.groupBy("exam_name", "score").agg(
        F.sum("messages").alias("messages"),
        F.count(F.lit(1)).alias("attempts"),
        *sums,
        F.sum(all_correct.cast("bigint")).alias("all_correct_attempts"),
        F.sum(F.when(all_correct, F.col("messages")).otherwise(0)).alias("all_correct_messages"),
        F.bool_and("is_test").alias("is_test"),
    )


def _of_each_exam(scores: DataFrame) -> DataFrame:
    """One row per exam name, with its `scores`; sums of counts are over attempts with a score."""
    is_scored = F.col("score").isNotNull()

    def scored(column: str) -> Column:
        return F.when(is_scored, F.col(column))

    names = ["total", *_COUNTED, *(f"{name}_by_message" for name in _COUNTED)]
    return scores.groupBy("exam_name").agg(
        F.sum("messages").alias("messages"),
        F.sum("attempts").alias("attempts"),
        F.sum(F.coalesce(scored("attempts"), F.lit(0))).alias("scored_attempts"),
        F.sum(F.coalesce(scored("messages"), F.lit(0))).alias("scored_messages"),
        *(F.sum(scored(name)).alias(name) for name in names),
        F.sum("all_correct_attempts").alias("all_correct_attempts"),
        F.sum("all_correct_messages").alias("all_correct_messages"),
        # Counts of no question may say all_correct, and have no score.
        F.sum(scored("all_correct_attempts")).alias("scored_all_correct"),
        F.min("score").alias("lowest_score"),
        F.max("score").alias("highest_score"),
        F.bool_and("is_test").alias("is_test"),
        in_order("attempts", "messages").alias("scores"),
    )
