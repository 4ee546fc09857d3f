"""Explode attempts into the options of their questions."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from assess_assets.transforms.questions import CARRIED


def explode_options(assessments: DataFrame) -> DataFrame:
    """One row per option of one question of one attempt.

    What is exploded is not carried along: else each option would take all of its question's with
    it, and 9,000 options of one question, half a megabyte of message, would take gigabytes.
    """
    questions = assessments.select(
        *CARRIED, F.posexplode("questions").alias("question_position", "question")
    ).select(
        *CARRIED,
        F.col("question_position").cast("bigint").alias("question_position"),
        F.col("question.id").alias("question_id"),
        F.col("question.options").alias("options"),
    )
    options = questions.select(
        *CARRIED,
        "question_position",
        "question_id",
        F.posexplode("options").alias("position", "option"),
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
