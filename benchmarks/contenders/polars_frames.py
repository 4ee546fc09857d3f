"""Hand-written Polars: typed scan_ndjson, explode, Parquet."""

import time
from pathlib import Path

import polars as pl

from benchmarks.contenders.telling import arguments, tell

OPTION = pl.Struct(
    {
        "id": pl.String,
        "checked": pl.Boolean,
        "correct": pl.Boolean,
        "submitted": pl.Int64,
        "at": pl.String,
    }
)
QUESTION = pl.Struct(
    {
        "id": pl.String,
        "user_result": pl.String,
        "user_correct": pl.Boolean,
        "user_incomplete": pl.Boolean,
        "user_submitted": pl.Boolean,
        "options": pl.List(OPTION),
    }
)
NUMBERS = ("incomplete", "submitted", "incorrect", "correct", "total", "unanswered")
COUNTS = pl.Struct({**dict.fromkeys(NUMBERS, pl.Int64), "all_correct": pl.Boolean})
SEQUENCES = pl.Struct(
    {"id": pl.String, "attempt": pl.Int64, "questions": pl.List(QUESTION), "counts": COUNTS}
)
TEXTS = (
    "user_exam_id",
    "base_exam_id",
    "exam_name",
    "started_at",
    "keen_id",
    "keen_timestamp",
    "keen_created_at",
    "max_attempts",
    "certification",
)
SCHEMA: dict[str, pl.DataType] = {**dict.fromkeys(TEXTS, pl.String()), "sequences": SEQUENCES}
CARRIED = ("user_exam_id", "base_exam_id", "exam_name")
TIME = "%Y-%m-%dT%H:%M:%S%.fZ"


def attempts_of(source: Path) -> pl.LazyFrame:
    sequences = pl.col("sequences").struct
    counts = sequences.field("counts").struct
    results = pl.col("questions").list.eval(pl.element().struct.field("user_result"))
    return (
        pl.scan_ndjson(source / "*.ndjson", schema=SCHEMA)
        .with_columns(
            pl.col("started_at").str.to_datetime(TIME, time_zone="UTC"),
            pl.col("keen_timestamp", "keen_created_at", "max_attempts").cast(pl.Float64),
            pl.col("certification") == "true",
            sequences.field("id").alias("sequences_id"),
            sequences.field("attempt"),
            sequences.field("questions"),
            sequences.field("counts"),
            (counts.field("correct") / counts.field("total")).alias("score"),
        )
        .drop("sequences")
        .with_columns(
            results.list.count_matches("correct").alias("correct"),
            results.list.count_matches("incorrect").alias("incorrect"),
            results.list.count_matches("missed_some").alias("incomplete"),
            results.list.count_matches("unanswered").alias("unanswered"),
        )
    )


def questions_of(attempts: pl.LazyFrame) -> pl.LazyFrame:
    return (
        attempts.select(
            *CARRIED,
            pl.int_ranges(pl.col("questions").list.len()).alias("position"),
            "questions",
        )
        .explode("position", "questions")
        .rename({"questions": "question"})
    )


def flat(questions: pl.LazyFrame) -> pl.LazyFrame:
    question = pl.col("question").struct
    options = pl.col("options").list
    at = options.eval(pl.element().struct.field("at"))
    return (
        questions.with_columns(
            question.field("id").alias("question_id"),
            question.field("user_result").alias("result"),
            *(question.field(f"user_{name}") for name in ("correct", "incomplete", "submitted")),
            question.field("options"),
        )
        .with_columns(
            options.len().alias("options_shown"),
            options.eval(pl.element().struct.field("checked")).list.sum().alias("options_checked"),
            options.eval(pl.element().struct.field("correct")).list.sum().alias("options_correct"),
            at.list.min().str.to_datetime(TIME, time_zone="UTC").alias("first_answered_at"),
            at.list.max().str.to_datetime(TIME, time_zone="UTC").alias("last_answered_at"),
        )
        .drop("question", "options")
    )


def options_of(questions: pl.LazyFrame) -> pl.LazyFrame:
    question, option = pl.col("question").struct, pl.col("option").struct
    return (
        questions.select(
            *CARRIED,
            pl.col("position").alias("question_position"),
            question.field("id").alias("question_id"),
            pl.int_ranges(question.field("options").list.len()).alias("position"),
            question.field("options").alias("option"),
        )
        .explode("position", "option")
        .with_columns(
            option.field("id").alias("option_id"),
            option.field("checked"),
            option.field("correct").fill_null(value=False).alias("is_correct"),
            option.field("submitted"),
            option.field("at").str.to_datetime(TIME, time_zone="UTC"),
        )
        .drop("option")
    )


def main() -> None:
    source, out = arguments()
    began = time.perf_counter()

    def written(name: str, frame: pl.LazyFrame) -> pl.LazyFrame:
        frame.sink_parquet(out / f"{name}.parquet")
        return pl.scan_parquet(out / f"{name}.parquet")

    attempts = written("attempts", attempts_of(source))
    questions = written("questions", flat(questions_of(attempts)))
    options = written("options", options_of(questions_of(attempts)))
    counts = pl.col("counts").struct
    exams = attempts.group_by("exam_name").agg(
        pl.len().alias("attempts"),
        counts.field("correct").sum().alias("right"),
        counts.field("total").sum().alias("total"),
        pl.col("score").mean().alias("average_score"),
        counts.field("all_correct").sum().alias("all_correct"),
    )
    difficulty = questions.group_by("base_exam_id", "question_id").agg(
        pl.len().alias("shown"),
        (pl.col("result") != "unanswered").sum().alias("answered"),
        pl.col("result").is_in(["incorrect", "missed_some"]).sum().alias("wrong"),
    )
    made = {
        "attempts": attempts,
        "questions": questions,
        "options": options,
        "exams": written("exams", exams),
        "difficulty": written("difficulty", difficulty),
    }
    seconds = time.perf_counter() - began
    tell(
        seconds,
        {name: frame.select(pl.len()).collect().item() for name, frame in made.items()},
        made["exams"].collect().to_dicts(),
        made["difficulty"].collect().to_dicts(),
    )


if __name__ == "__main__":
    main()
