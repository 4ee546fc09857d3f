"""Count attempts per base exam id."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def summarize_exams(attempts: DataFrame, questions: DataFrame) -> DataFrame:
    """One row per base exam id. `attempts` as `count_messages` makes them."""
    seen = questions.groupBy("base_exam_id").agg(
        F.countDistinct("question_id").alias("questions_seen")
    )
    taken = attempts.groupBy("base_exam_id").agg(
        F.array_sort(F.collect_set("exam_name")).alias("exam_names"),
        F.sum("messages").alias("messages"),
        F.count(F.lit(1)).alias("attempts"),
        F.min("started_at").alias("first_taken_at"),
        F.max("started_at").alias("last_taken_at"),
        F.bool_and("is_test").alias("is_test"),
    )
    return taken.join(seen, "base_exam_id", "left").withColumn(
        "questions_seen", F.coalesce("questions_seen", F.lit(0).cast("bigint"))
    )
