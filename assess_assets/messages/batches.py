"""Verdicts on a whole Arrow batch, for `mapInArrow`.

Belongs here: reading values in place and laying verdicts out in columns. Not here: any rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pyarrow as pa

from assess_assets.messages.verdict import Verdict, judge

VERDICT_SCHEMA: Final = pa.schema(
    [(name, pa.int64() if name.endswith("_count") else pa.string()) for name in Verdict._fields]
)


def judge_batch(values: pa.Array, defects: pa.Array) -> pa.RecordBatch:
    """One verdict per value, in order, with the fields of `Verdict` as columns.

    `values` may be of any binary or string type; `defects` are the source's, mostly null.
    """
    if len(values) != len(defects):
        raise ValueError(f"{len(values)} values, but {len(defects)} source defects")
    verdicts = [
        judge(value, defect)
        for value, defect in zip(_in_place(values), defects.to_pylist(), strict=True)
    ]
    columns = zip(*verdicts, strict=True) if verdicts else [()] * len(VERDICT_SCHEMA)
    return pa.RecordBatch.from_arrays(
        [
            pa.array(column, field.type)
            for column, field in zip(columns, VERDICT_SCHEMA, strict=True)
        ],
        schema=VERDICT_SCHEMA,
    )


def _in_place(values: pa.Array) -> Iterator[memoryview | None]:
    """Each value as a slice of the batch's own buffer: `as_py` would copy and box every one."""
    # Large, so that a batch of any type and size can be cast; only the offsets are copied.
    array = values.cast(pa.large_binary())
    _, offsets, data = array.buffers()
    if offsets is None or data is None or not len(array):
        yield from (
            None if not valid else memoryview(b"") for valid in array.is_valid().to_pylist()
        )
        return
    first = array.offset
    bounds = memoryview(offsets).cast("B").cast("q")[first : first + len(array) + 1].tolist()
    text = memoryview(data)
    for valid, start, end in zip(array.is_valid().to_pylist(), bounds, bounds[1:], strict=False):
        yield text[start:end] if valid else None
