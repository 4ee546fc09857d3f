"""Explode attempts into the options of their questions."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from assess_assets.transforms.questions import CARRIED


def explode_options(assessments: DataFrame) -> DataFrame:
    """One row per option of one question of one attempt."""
    questions = assessments.select(
        *CARRIED, F.posexplode("questions").alias("question_position", "question")
    )
    options = questions.select(
        *CARRIED,
        F.col("question_position").cast("bigint").alias("question_position"),
        F.col("question.id").alias("question_id"),
        F.posexplode("question.options").alias("position", "option"),
    )
    return options.select(
        *CARRIED,
        "question_position",
        "question_id",
        F.col("position").cast("bigint").alias("position"),
        F.col("option.id").alias("option_id"),
        F.col("option.checked").alias("checked"),
        F.coalesce("option.correct", F.lit(False)).alias("is_correct"),
        F.col("option.correct").alias("correct"),
        F.col("option.submitted").alias("submitted"),
        F.col("option.at").alias("at"),
    )
