"""Hand-written Spark local[2]: typed read.json, posexplode, Parquet."""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from benchmarks.contenders.telling import arguments, tell

OPTION = "struct<id:string,checked:boolean,correct:boolean,submitted:bigint,at:string>"
QUESTION = (
    "struct<id:string,user_result:string,user_correct:boolean,user_incomplete:boolean,"
    f"user_submitted:boolean,options:array<{OPTION}>>"
)
COUNTS = (
    "struct<incomplete:bigint,submitted:bigint,incorrect:bigint,all_correct:boolean,"
    "correct:bigint,total:bigint,unanswered:bigint>"
)
SCHEMA = (
    "user_exam_id string, base_exam_id string, exam_name string, started_at string, "
    "keen_id string, keen_timestamp string, keen_created_at string, max_attempts string, "
    "certification string, "
    f"sequences struct<id:string,attempt:bigint,questions:array<{QUESTION}>,counts:{COUNTS}>"
)
CARRIED = ("user_exam_id", "base_exam_id", "exam_name")
RESULTS = {
    "correct": "correct",
    "incorrect": "incorrect",
    "incomplete": "missed_some",
    "unanswered": "unanswered",
}


def session(name: str) -> SparkSession:
    # Else workers are whatever python3 is, perhaps without what a program needs.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    return (
        SparkSession.builder.master("local[2]")
        .appName(name)
        .config("spark.driver.memory", "4g")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.ui.enabled", "false")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )


def attempts_of(messages: DataFrame) -> DataFrame:
    def number(result: str) -> Column:
        return F.size(F.filter("questions", lambda question: question["user_result"] == result))

    return messages.select(
        *CARRIED,
        F.to_timestamp("started_at").alias("started_at"),
        "keen_id",
        *(F.col(name).cast("double").alias(name) for name in ("keen_timestamp", "max_attempts")),
        F.col("keen_created_at").cast("double").alias("keen_created_at"),
        F.col("certification").cast("boolean").alias("certification"),
        F.col("sequences.id").alias("sequences_id"),
        F.col("sequences.attempt").alias("attempt"),
        F.col("sequences.counts").alias("counts"),
        F.col("sequences.questions").alias("questions"),
        (F.col("sequences.counts.correct") / F.col("sequences.counts.total")).alias("score"),
    ).withColumns({name: number(result) for name, result in RESULTS.items()})


def questions_of(attempts: DataFrame) -> DataFrame:
    options = F.col("question.options")
    touched = F.transform(options, lambda option: F.to_timestamp(option["at"]))
    return attempts.select(
        *CARRIED, F.posexplode("questions").alias("position", "question")
    ).select(
        *CARRIED,
        "position",
        F.col("question.id").alias("question_id"),
        F.col("question.user_result").alias("result"),
        "question.user_correct",
        "question.user_incomplete",
        "question.user_submitted",
        F.size(options).alias("options_shown"),
        F.size(F.filter(options, lambda option: option["checked"])).alias("options_checked"),
        F.size(F.filter(options, lambda option: option["correct"])).alias("options_correct"),
        F.array_min(touched).alias("first_answered_at"),
        F.array_max(touched).alias("last_answered_at"),
    )


def options_of(attempts: DataFrame) -> DataFrame:
    return (
        attempts.select(*CARRIED, F.posexplode("questions").alias("question_position", "question"))
        .select(
            *CARRIED,
            "question_position",
            F.col("question.id").alias("question_id"),
            F.posexplode("question.options").alias("position", "option"),
        )
        .select(
            *CARRIED,
            "question_position",
            "question_id",
            "position",
            F.col("option.id").alias("option_id"),
            "option.checked",
            F.coalesce("option.correct", F.lit(False)).alias("is_correct"),
            "option.submitted",
            F.to_timestamp("option.at").alias("at"),
        )
    )


def exams_of(attempts: DataFrame) -> DataFrame:
    return attempts.groupBy("exam_name").agg(
        F.count(F.lit(1)).alias("attempts"),
        F.sum("counts.correct").alias("correct"),
        F.sum("counts.total").alias("total"),
        F.avg("score").alias("average_score"),
        F.sum(F.col("counts.all_correct").cast("bigint")).alias("all_correct"),
    )


def difficulty_of(questions: DataFrame) -> DataFrame:
    wrong = F.col("result").isin("incorrect", "missed_some")
    return questions.groupBy("base_exam_id", "question_id").agg(
        F.count(F.lit(1)).alias("shown"),
        F.sum((F.col("result") != "unanswered").cast("bigint")).alias("answered"),
        F.sum(wrong.cast("bigint")).alias("wrong"),
    )


def written(frame: DataFrame, path: Path) -> DataFrame:
    frame.write.parquet(str(path))
    return frame.sparkSession.read.parquet(str(path))


def tell_tables(seconds: float, made: Mapping[str, DataFrame]) -> None:
    """`tell`, from what was written; both contenders on Spark end with it."""
    tell(
        seconds,
        {name: frame.count() for name, frame in made.items()},
        [row.asDict() for row in made["exams"].collect()],
        [row.asDict() for row in made["difficulty"].collect()],
    )


def main() -> None:
    source, out = arguments()
    began = time.perf_counter()
    spark = session("hand-written")
    messages = spark.read.schema(SCHEMA).json(f"{source}/*.ndjson")
    attempts = written(attempts_of(messages), out / "attempts")
    questions = written(questions_of(attempts), out / "questions")
    made = {
        "attempts": attempts,
        "questions": questions,
        "options": written(options_of(attempts), out / "options"),
        "exams": written(exams_of(attempts), out / "exams"),
        "difficulty": written(difficulty_of(questions), out / "difficulty"),
    }
    tell_tables(time.perf_counter() - began, made)
    spark.stop()


if __name__ == "__main__":
    main()
