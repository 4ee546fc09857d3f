"""The method of the notebook that such projects begin as: RDD, json.loads, Python UDF.

Messages are stored as text, decoded by `json.loads` in Python, and decoded again for each table.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from benchmarks.contenders.spark_frames import exams_of, session, tell_tables, written
from benchmarks.contenders.telling import arguments

ATTEMPT = (
    "user_exam_id string, base_exam_id string, exam_name string, started_at string, "
    "keen_id string, keen_timestamp string, keen_created_at string, max_attempts string, "
    "certification string, counts struct<correct:bigint,total:bigint,incorrect:bigint,"
    "incomplete:bigint,unanswered:bigint,all_correct:boolean>, score double"
)
QUESTION = (
    "user_exam_id string, base_exam_id string, exam_name string, position bigint, "
    "question_id string, result string, user_correct boolean, user_incomplete boolean, "
    "user_submitted boolean, options_shown bigint"
)
OPTION = (
    "user_exam_id string, base_exam_id string, exam_name string, question_position bigint, "
    "question_id string, position bigint, option_id string, checked boolean, is_correct boolean, "
    "submitted bigint, at string"
)
TEXTS = ("user_exam_id", "base_exam_id", "exam_name", "started_at", "keen_id", "keen_timestamp")
MORE = ("keen_created_at", "max_attempts", "certification")
COUNTS = ("correct", "total", "incorrect", "incomplete", "unanswered", "all_correct")


def attempt(row: Row) -> tuple[Any, ...]:
    message = json.loads(row.value)
    counts = message["sequences"]["counts"]
    texts = tuple(message.get(name) for name in (*TEXTS, *MORE))
    score = counts["correct"] / counts["total"]
    return (*texts, tuple(counts[name] for name in COUNTS), score)


def questions(row: Row) -> Iterator[tuple[Any, ...]]:
    message = json.loads(row.value)
    carried = (message["user_exam_id"], message["base_exam_id"], message["exam_name"])
    for position, question in enumerate(message["sequences"]["questions"]):
        flags = (question[f"user_{name}"] for name in ("correct", "incomplete", "submitted"))
        yield (
            *carried,
            position,
            question["id"],
            question["user_result"],
            *flags,
            len(question["options"]),
        )


def options(row: Row) -> Iterator[tuple[Any, ...]]:
    message = json.loads(row.value)
    carried = (message["user_exam_id"], message["base_exam_id"], message["exam_name"])
    for number, question in enumerate(message["sequences"]["questions"]):
        for position, option in enumerate(question["options"]):
            correct = bool(option.get("correct"))
            told = (option["id"], option["checked"], correct)
            rest = (option.get("submitted"), option.get("at"))
            yield (*carried, number, question["id"], position, *told, *rest)


def is_wrong(result: str) -> bool:
    return result in {"incorrect", "missed_some"}


def difficulty_of(made: DataFrame) -> DataFrame:
    wrong = F.udf(is_wrong, "boolean")
    return made.groupBy("base_exam_id", "question_id").agg(
        F.count(F.lit(1)).alias("shown"),
        F.sum((F.col("result") != "unanswered").cast("bigint")).alias("answered"),
        F.sum(wrong("result").cast("bigint")).alias("wrong"),
    )


def main() -> None:
    source, out = arguments()
    began = time.perf_counter()
    spark = session("notebook")
    # UDFs as notebooks had them; through Arrow, the default of Spark 4.2, this one waits for ever.
    spark.conf.set("spark.sql.execution.pythonUDF.arrow.enabled", "false")
    raw = written(spark.read.text(f"{source}/*.ndjson"), out / "raw_messages").rdd
    attempts = written(spark.createDataFrame(raw.map(attempt), ATTEMPT), out / "attempts")
    asked = written(spark.createDataFrame(raw.flatMap(questions), QUESTION), out / "questions")
    made = {
        "attempts": attempts,
        "questions": asked,
        "options": written(spark.createDataFrame(raw.flatMap(options), OPTION), out / "options"),
        "exams": written(exams_of(attempts), out / "exams"),
        "difficulty": written(difficulty_of(asked), out / "difficulty"),
    }
    tell_tables(time.perf_counter() - began, made)
    spark.stop()


if __name__ == "__main__":
    main()
