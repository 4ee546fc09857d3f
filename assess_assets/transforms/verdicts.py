"""Validate messages: one verdict per message, by the contract in `messages`.

The only place where message bytes meet Python; what is accepted is parsed by the engine itself
(`transforms.assessments`). Verdicts are narrow, so that they can be sorted, joined and kept.
"""

from collections.abc import Iterator
from contextlib import closing

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.types import IntegerType, LongType, StringType, StructField, StructType

_COORDINATES = ("source", "partition", "offset", "batch")
_VERDICT = StructType(
    [
        StructField("source", StringType()),
        StructField("partition", IntegerType()),
        StructField("offset", LongType()),
        StructField("batch", LongType()),
        StructField("user_exam_id", StringType()),
        StructField("fingerprint", StringType()),
        StructField("question_count", LongType()),
        StructField("option_count", LongType()),
        StructField("unmapped", StringType()),
        StructField("rule", StringType()),
        StructField("json_path", StringType()),
        StructField("expected", StringType()),
        StructField("found", StringType()),
    ]
)
_JUDGED = {"user_exam_id": "attempt_id"}  # the ledger's word for what the verdict calls attempt_id


def judge_messages(raw_messages: DataFrame) -> DataFrame:
    """One row per message: its coordinates and verdict (see `messages.Verdict`)."""
    narrow = raw_messages.select(*_COORDINATES, "value", "source_defect")
    return narrow.mapInArrow(_judge, _VERDICT)


def _judge(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    from assess_assets.messages.beside import Judge  # imported where it runs: an executor

    names = _VERDICT.fieldNames()
    with closing(Judge()) as judge:
        for batch in batches:
            verdicts = judge(batch.column("value"), batch.column("source_defect"))
            columns = [
                batch.column(name)
                if name in _COORDINATES
                else verdicts.column(_JUDGED.get(name, name))
                for name in names
            ]
            yield pa.RecordBatch.from_arrays(columns, names=names)
