"""Parse accepted messages into attempts, natively in the engine, and compare summary with detail.

The validator has seen every message before, so nothing here can be silently null: what
`from_json` would not understand has been refused (`checks.agreement` proves it on every run).
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from assess_assets.tables.attempts import COUNTS
from assess_assets.transforms.results import Condition, computed_result, number_of


def _struct(**fields: DataType) -> StructType:
    return StructType([StructField(name, kind) for name, kind in fields.items()])


_TEXT, _WHOLE, _FLAG = StringType(), LongType(), BooleanType()
_OPTION = _struct(id=_TEXT, checked=_FLAG, correct=_FLAG, submitted=_WHOLE, at=_TEXT)
_QUESTION = _struct(
    id=_TEXT,
    user_result=_TEXT,
    user_correct=_FLAG,
    user_incomplete=_FLAG,
    user_submitted=_FLAG,
    options=ArrayType(_OPTION),
)
_COUNTED = _struct(**dict.fromkeys(COUNTS, _WHOLE), all_correct=_FLAG)
_SEQUENCES = _struct(id=_TEXT, attempt=_WHOLE, questions=ArrayType(_QUESTION), counts=_COUNTED)
_MESSAGE = _struct(
    user_exam_id=_TEXT,
    base_exam_id=_TEXT,
    exam_name=_TEXT,
    started_at=_TEXT,
    keen_id=_TEXT,
    keen_timestamp=_TEXT,
    keen_created_at=_TEXT,
    max_attempts=_TEXT,
    certification=_TEXT,
    sequences=_SEQUENCES,
)

# user_result as the counts name it
_RESULT_OF_COUNT = {
    "correct": "correct",
    "incorrect": "incorrect",
    "incomplete": "missed_some",
    "unanswered": "unanswered",
}


def parse_assessments(
    raw_messages: DataFrame, fates: DataFrame, test_exam_ids: frozenset[str]
) -> DataFrame:
    """One row per accepted message. `build` is added by the step that writes it."""
    accepted = fates.where("fate = 'accepted'").select(
        "source", "partition", "offset", "batch", "fingerprint", "unmapped"
    )
    message = F.from_json(F.col("value").cast("string"), _MESSAGE)
    parsed = (
        raw_messages.select("source", "partition", "offset", "batch", "value")
        .join(accepted, ["source", "partition", "offset", "batch"])
        .withColumn("message", message)
        .select("source", "partition", "offset", "batch", "fingerprint", "unmapped", "message.*")
    )
    return _compared(_typed(parsed, test_exam_ids))


def _typed(parsed: DataFrame, test_exam_ids: frozenset[str]) -> DataFrame:
    return parsed.select(
        "source",
        "partition",
        "offset",
        "batch",
        "fingerprint",
        "unmapped",
        "user_exam_id",
        "base_exam_id",
        "exam_name",
        "keen_id",
        F.to_timestamp("started_at").alias("started_at"),
        _epoch("keen_timestamp").alias("keen_timestamp"),
        _epoch("keen_created_at").alias("keen_created_at"),
        F.col("keen_timestamp").cast("decimal(20,9)").alias("keen_timestamp_seconds"),
        F.col("keen_created_at").cast("decimal(20,9)").alias("keen_created_at_seconds"),
        F.col("max_attempts").cast("double").alias("max_attempts"),
        F.col("certification").cast("boolean").alias("certification"),
        F.col("sequences.id").alias("sequences_id"),
        F.col("sequences.attempt").alias("sequences_attempt"),
        F.col("base_exam_id").isin(*sorted(test_exam_ids)).alias("is_test"),
        *(F.col(f"sequences.counts.{name}").alias(f"reported_{name}") for name in COUNTS),
        F.col("sequences.counts.all_correct").alias("reported_all_correct"),
        F.transform("sequences.questions", _typed_question).alias("questions"),
    )


def _epoch(seconds: str) -> Column:
    """Epoch seconds in a string, to a timestamp: whole microseconds, the rest cut off."""
    micros = F.floor(F.col(seconds).cast("decimal(20,9)") * F.lit(1_000_000))
    return F.timestamp_micros(micros.cast("bigint"))


def _typed_question(question: Column) -> Column:
    plain = ("id", "user_result", "user_correct", "user_incomplete", "user_submitted")
    return F.struct(
        *(question[name].alias(name) for name in plain),
        F.transform(question["options"], _typed_option).alias("options"),
    )


def _typed_option(option: Column) -> Column:
    plain = ("id", "checked", "correct", "submitted")
    return F.struct(
        *(option[name].alias(name) for name in plain),
        F.to_timestamp(option["at"]).alias("at"),
    )


def _compared(typed: DataFrame) -> DataFrame:
    """Add the counts computed from the detail, the score, and how summary and detail agree."""
    counted = {name: _count(_has_result(result)) for name, result in _RESULT_OF_COUNT.items()}
    counted["submitted"] = _count(lambda question: question["user_submitted"])
    counted["total"] = F.size("questions").cast("bigint")
    with_counts = typed.withColumns(
        {f"computed_{name}": column for name, column in counted.items()}
    ).withColumn(
        "computed_all_correct",
        (F.col("computed_total") > 0) & (F.col("computed_correct") == F.col("computed_total")),
    )
    return with_counts.withColumn("mismatch", _mismatch()).withColumn(
        "score",
        F.when(F.col("reported_total") > 0, F.col("reported_correct") / F.col("reported_total")),
    )


def _has_result(result: str) -> Condition:
    # A closure, not a default argument: PySpark would pass the index as a second parameter.
    return lambda question: question["user_result"] == result


def _count(condition: Condition) -> Column:
    return number_of(F.col("questions"), condition)


def _mismatch() -> Column:
    names = (*COUNTS, "all_correct")
    counts_differ = F.lit(False)
    for name in names:
        counts_differ = counts_differ | (F.col(f"reported_{name}") != F.col(f"computed_{name}"))
    options_differ = F.exists(
        "questions",
        lambda question: F.coalesce(
            computed_result(question["options"]) != question["user_result"], F.lit(False)
        ),
    )
    return (
        F.when(F.col("reported_total").isNull() & ~options_differ, "no_counts")
        .when(F.col("reported_total").isNull(), "options")
        .when(counts_differ & options_differ, "counts_and_options")
        .when(counts_differ, "counts")
        .when(options_differ, "options")
        .otherwise("none")
    )
