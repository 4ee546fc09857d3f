"""Explode attempts into questions."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from assess_assets.transforms.results import (
    computed_result,
    options_checked,
    options_correct,
    options_correct_checked,
)

CARRIED = (
    "user_exam_id",
    "base_exam_id",
    "exam_name",
    "is_test",
    "source",
    "partition",
    "offset",
    "batch",
    "build",
)


def explode_questions(assessments: DataFrame) -> DataFrame:
    """One row per question of one attempt."""
    exploded = assessments.select(*CARRIED, F.posexplode("questions").alias("position", "question"))
    options = F.col("question.options")
    touched = F.transform(options, lambda option: option["at"])
    return exploded.select(
        *CARRIED,
        F.col("position").cast("bigint").alias("position"),
        F.col("question.id").alias("question_id"),
        F.col("question.user_result").alias("result"),
        computed_result(options).alias("computed_result"),
        F.col("question.user_correct").alias("user_correct"),
        F.col("question.user_incomplete").alias("user_incomplete"),
        F.col("question.user_submitted").alias("user_submitted"),
        F.size(options).cast("bigint").alias("options_shown"),
        options_checked(options).alias("options_checked"),
        options_correct(options).alias("options_correct"),
        options_correct_checked(options).alias("options_correct_checked"),
        F.array_min(touched).alias("first_answered_at"),
        F.array_max(touched).alias("last_answered_at"),
    )
