"""One Delta table: pin its version, read it there, replace rows of it, append a claim to it.

The rule behind all writing: a writer that decides first and starts later must not win silently.
So a target is pinned before anything is decided, and a write checks that the pin still holds
(the gate) and names exactly the rows that it replaces (the bounds). What to write, and in which
order, is `protocol`'s business, not this module's.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, QueryBuilder, Schema, write_deltalake
from deltalake.exceptions import CommitFailedError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from assess_assets.storage.damage import table_faults
from assess_assets.storage.engine_faults import engine_faults
from assess_assets.storage.gate import STALE, gated
from assess_assets.storage.job_names import named_jobs
from assess_assets.storage.lake_faults import LakeFault, lake_faults
from assess_assets.storage.older_tables import brought_up_to_date, configuration, new_columns
from assess_assets.storage.opening import open_existing
from assess_assets.tables.contract import TableContract

# Sail keeps a file in memory until it is full (by default 100 MiB) and each thread writes one. With
# smaller ones it needs half of the memory, and half of the time.
SAIL_FILE_BYTES = 16 * 1024 * 1024


class LostRace(Exception):
    """Another run committed to a table after this one had decided. Nothing was damaged."""


@dataclass(frozen=True)
class Pin:
    """A table at one version: what a step reads, or what it expects to replace."""

    table: TableContract
    customer: str
    uri: str
    version: int
    log: DeltaTable = field(repr=False, compare=False)  # opened at that version

    def read(self, spark: SparkSession) -> DataFrame:
        stored = spark.read.format("delta").option("versionAsOf", self.version).load(self.uri)
        lacking = new_columns(self.log, self.table)
        nulls = {name: F.lit(None).cast(self.table.schema[name].dataType) for name in lacking}
        return (stored.withColumns(nulls) if nulls else stored).select(*self.table.column_names)

    def look_up(self, sql: str) -> list[dict[str, Any]]:
        """Rows of a small question about the pinned version, which the SQL calls `pinned`.

        Answered in this process within milliseconds, not by the engine, which takes ten times as
        long to be asked. Timestamps are in UTC, whatever the time zone of the machine. Columns that
        a table of older code lacks are null.
        """
        with table_faults(self.customer, self.table.name, self.uri):
            if lacking := new_columns(self.log, self.table):
                nulls = ", ".join(f"null as {name}" for name in lacking)
                sql = f"with pinned as (select *, {nulls} from stored) {sql}"
            name = "stored" if lacking else "pinned"
            query = QueryBuilder().register(name, self.log).execute(sql)
            rows: list[dict[str, Any]] = pa.table(query.read_all()).to_pylist()
        return rows


@dataclass(frozen=True)
class Committed:
    """What is known of a table after a write, from its Delta log alone."""

    version: int
    rows: int
    size_bytes: int
    files: int


def pin(
    table: TableContract,
    customer: str,
    uri: str,
    before_creation: Callable[[], None] = lambda: None,
) -> Pin:
    """The table's current version; one that does not exist is created empty, and one that older
    code made gets the columns that may be null and that it lacks.

    Racing creators are harmless: the first commit of a log is put if absent.
    """
    with lake_faults(customer, table.name, uri):
        if not (log := open_existing(customer, table.name, uri)):
            before_creation()
            DeltaTable.create(
                uri,
                Schema.from_json(table.schema.json()),
                mode="ignore",
                configuration=configuration(table),
            )
            log = DeltaTable(uri)
        log = brought_up_to_date(log, table)
    return Pin(table, customer, uri, log.version(), log)


def pin_existing(table: TableContract, customer: str, uri: str) -> Pin | None:
    """The table's current version, or None if it has not been made: looking must not make it."""
    log = open_existing(customer, table.name, uri)
    return Pin(table, customer, uri, log.version(), log) if log else None


def replace(
    target: Pin, frame: DataFrame, bounds: str, evidence: dict[str, Any], one_file: bool = False
) -> None:
    """Replace the rows of `target` for which `bounds` (SQL) holds by `frame`, in one commit.

    `one_file` is for few rows: else there are as many files as the engine has partitions, which is
    as many as there are cores.

    Raises LostRace if anybody committed to the table since it was pinned. A row outside the
    bounds fails the write: Sail would accept it.
    """
    names, run_id = (target.customer, target.table.name), str(evidence.get("run_id", "none"))
    what = f"Customer {target.customer}, table {target.table.name} ({target.uri})"
    faults = lake_faults(*names, target.uri)
    spark = frame.sparkSession
    try:
        with engine_faults(what), faults, named_jobs(spark, *names, run_id):
            bounded = _bounded(frame.select(*target.table.column_names), target.table, bounds)
            rows = gated(bounded, target.read(spark), target.uri, target.version)
            (
                (rows.coalesce(1) if one_file else rows)
                .write.format("delta")
                .mode("overwrite")
                .option("replaceWhere", bounds)
                .option("target_file_size", str(SAIL_FILE_BYTES))
                .option("userMetadata", json.dumps(evidence, sort_keys=True))
                .save(target.uri)
            )
    except Exception as error:
        if _lost(error):
            raise LostRace(
                f"{what}: another run committed after version {target.version}, which this run "
                "had read. Nothing was written. Run it again: it starts from fresh reads."
            ) from error
        raise


def append_claim(target: Pin, rows: list[dict[str, Any]]) -> None:
    """Append rows to exactly the pinned version: of two claimants one fails with LostRace."""
    with _claiming(target) as table:
        write_deltalake(
            table,
            pa.Table.from_pylist(rows, schema=pa.schema(table.schema().to_arrow())),
            mode="append",
            commit_properties=_NO_SECOND_TRY,
        )


def fill_in(
    target: Pin,
    key: Sequence[str],
    column: str,
    rows: list[dict[str, Any]],
    is_appending: bool = False,
) -> None:
    """Set a column in the rows of exactly the pinned version that have the key of one of `rows`.

    `is_appending`: those whose key is not there yet are appended. Raises LostRace.
    """
    with _claiming(target) as table:
        of_table = pa.schema(table.schema().to_arrow())
        schema = pa.schema([of_table.field(name) for name in rows[0]])
        same = " and ".join(f't."{name}" = r."{name}"' for name in key)
        merged = table.merge(
            pa.Table.from_pylist(rows, schema=schema),
            predicate=same,
            source_alias="r",
            target_alias="t",
            commit_properties=_NO_SECOND_TRY,
        ).when_matched_update({f'"{column}"': f'r."{column}"'})
        (merged.when_not_matched_insert_all() if is_appending else merged).execute()


def take_out(target: Pin, where: str) -> None:
    """Delete rows of exactly the pinned version. Raises LostRace."""
    with _claiming(target) as table:
        table.delete(where, commit_properties=_NO_SECOND_TRY)


@contextmanager
def _claiming(target: Pin) -> Iterator[DeltaTable]:
    """The table, to be written in this process: no engine is needed for a few rows."""
    try:
        with lake_faults(target.customer, target.table.name, target.uri):
            yield DeltaTable(target.uri, version=target.version)
    except CommitFailedError as error:
        raise LostRace(
            f"Customer {target.customer}, table {target.table.name} ({target.uri}): another run "
            "claimed at the same time. Nothing was written. Run it again."
        ) from error


_NO_SECOND_TRY = CommitProperties(max_commit_retries=0)


def committed(pinned: Pin) -> Committed:
    """Rows and bytes of a version, from the log's statistics."""
    actions = pa.table(pinned.log.get_add_actions(flatten=True))
    files = actions.select(["num_records", "size_bytes"])
    rows = sum(value or 0 for value in files.column("num_records").to_pylist())
    size = sum(files.column("size_bytes").to_pylist())
    return Committed(pinned.version, rows, size, files.num_rows)


def rows_after(pinned: Pin, batch: int) -> int:
    """Rows of later batches, or some more: those of all files that may hold one, says the log."""
    actions = pa.table(pinned.log.get_add_actions(flatten=True))
    highest = "max.batch"
    if highest not in actions.column_names:
        return committed(pinned).rows
    files = actions.select([highest, "num_records"]).to_pylist()
    return sum(
        file["num_records"] or 0 for file in files if file[highest] is None or file[highest] > batch
    )


def _bounded(frame: DataFrame, table: TableContract, bounds: str) -> DataFrame:
    if bounds == "true":
        return frame
    outside = F.raise_error(F.lit(f"A row to write is outside of its bounds: {bounds}"))
    first = table.columns[0]
    guarded = F.when(F.expr(bounds), F.col(first.name)).otherwise(outside.cast(first.type))
    return frame.withColumn(first.name, guarded)


# What the engines say of a commit that came second: Sail (0.7.2), Delta on Spark (4.4.0).
_LOST_COMMITS = (
    STALE,
    "Failed to commit transaction",
    "Missing commit file",  # Sail lists a log while another commits to it
    "ConcurrentAppendException",
    "DELTA_CONCURRENT",
)


def _lost(error: Exception) -> bool:
    """A commit that failed as the disk is full is nobody's race, though its text says the same."""
    return not isinstance(error, LakeFault) and any(sign in str(error) for sign in _LOST_COMMITS)
