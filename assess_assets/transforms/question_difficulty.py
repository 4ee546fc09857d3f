"""How hard each question of an exam form was, over attempts."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F


def rank_questions(questions: DataFrame) -> DataFrame:
    """One row per question of a base exam id, the largest share of wrong answers first."""
    counted = questions.groupBy("base_exam_id", "question_id").agg(
        F.min("exam_name").alias("exam_name"),
        F.count(F.lit(1)).alias("shown"),
        *(_number(result).alias(result) for result in _RESULTS),
        F.bool_and("is_test").alias("is_test"),
    )
    answered = F.col("shown") - F.col("unanswered")
    wrong = F.col("incorrect") + F.col("missed_some")
    hardest = Window.partitionBy(F.lit(1)).orderBy(F.desc_nulls_last("share_wrong"))
    return (
        counted.withColumn("answered", answered)
        .withColumn("share_wrong", F.when(answered > 0, wrong / answered))
        .withColumn("difficulty_rank", F.rank().over(hardest).cast("bigint"))
    )


_RESULTS = ("correct", "incorrect", "missed_some", "unanswered")


def _number(result: str) -> Column:
    return F.sum((F.col("result") == result).cast("bigint"))
