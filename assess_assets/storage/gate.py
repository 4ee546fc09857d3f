"""The gate: a write that fails if its target has moved since it was pinned.

A workaround, quarantined: neither Sail 0.7.2 nor Delta 4.4.0 on Spark can be told "commit only
onto version n". The engine pins the target before it computes what is written, so a check inside
that computation, together with Delta's own conflict detection, makes a compare-and-set. Data does
not pass through Python. Tested on each engine by `test_a_stale_writer_is_refused`.
"""

from collections.abc import Iterator

import pyarrow as pa
from deltalake import DeltaTable
from pyspark.sql import DataFrame
from pyspark.sql.types import BooleanType, StructType

STALE = "assess: the target moved"
_GATE = StructType().add("gate", BooleanType())  # as text it would be sent to the engine, to parse


def gated(frame: DataFrame, target: DataFrame, uri: str, pinned_version: int) -> DataFrame:
    """The same rows; computing them fails with `STALE` if the table at `uri` has moved.

    The check is an empty part of a union, so it runs whether or not there are rows. `target` is
    the table itself: as the first part of the union it lends the others its exact types (Sail's
    replaceWhere takes an array only if even the names inside its Arrow type are the table's).
    """

    def check(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            current = DeltaTable(uri).version()
            if current != pinned_version:
                raise RuntimeError(f"{STALE}: pinned {pinned_version}, now {current}")
        return iter(())

    gate = frame.sparkSession.range(1, numPartitions=1).mapInArrow(check, _GATE)
    same_type = target.limit(0).unionAll(frame)
    return same_type.unionByName(gate, allowMissingColumns=True).drop("gate")
