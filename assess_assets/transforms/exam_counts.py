"""Count attempts per exam name, most popular first."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F


def count_exams(attempts: DataFrame) -> DataFrame:
    """One row per exam name. `attempts` as `count_messages` makes them."""
    counted = attempts.groupBy("exam_name").agg(
        F.sum("messages").alias("messages"),
        F.count(F.lit(1)).alias("attempts"),
        F.countDistinct("base_exam_id").alias("base_exam_ids"),
        F.min("started_at").alias("first_taken_at"),
        F.max("started_at").alias("last_taken_at"),
        F.bool_and("is_test").alias("is_test"),
    )
    popularity = Window.partitionBy(F.lit(1)).orderBy(F.desc("messages"))
    return counted.withColumn("popularity_rank", F.rank().over(popularity).cast("bigint"))
