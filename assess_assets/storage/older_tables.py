"""Tables that older code made: they get what contracts have had since, in a commit without rows.

Belongs here: columns that may be null, and the table's properties. Does not: any other difference
(a column that must be filled, has another type, or is gone), which the check of the schema tells.
"""

from collections.abc import Mapping
from contextlib import suppress

import pyarrow as pa
from deltalake import DeltaTable, Field, Schema
from deltalake.exceptions import CommitFailedError
from pyspark.sql.types import StructType

from assess_assets.tables.contract import TableContract


def configuration(table: TableContract) -> dict[str, str]:
    """Statistics of whole numbers, texts and times, of `batch` above all: Delta's default are the
    first 32 columns, whatever they are.

    Without them a write that replaces some batches rewrites every file, as any might hold them.
    """
    return {"delta.dataSkippingStatsColumns": ",".join(table.ranged_columns)}


def new_columns(log: DeltaTable, table: TableContract) -> list[str]:
    """Columns that the table lacks and can be given: none if it also lacks one that can't."""
    has = {field.name for field in log.schema().fields}
    lacking = [name for name in table.column_names if name not in has]
    return [] if set(lacking) & set(table.required) else lacking


def new_fields(log: DeltaTable, table: TableContract) -> list[pa.Field]:
    """The same, as Arrow fields."""
    fields = _fields(table, new_columns(log, table))
    return list(pa.schema(Schema(fields).to_arrow()))


def brought_up_to_date(log: DeltaTable, table: TableContract) -> DeltaTable:
    """The table with its contract's columns and properties; as it is if it has them."""
    new = new_columns(log, table)
    has = log.metadata().configuration
    wanted = _widened(table, has)
    is_configured = all(has.get(name) == value for name, value in wanted.items())
    if is_configured and not new:
        return log
    # Another run may do the same at the same moment: then there is nothing left to do.
    with suppress(CommitFailedError):
        if new:
            log.alter.add_columns(_fields(table, new))
        if not is_configured:
            log.alter.set_table_properties(wanted)
    return DeltaTable(log.table_uri)


def _widened(table: TableContract, has: Mapping[str, str | None]) -> dict[str, str]:
    """Lists of columns keep what this contract doesn't know: newer code, beside this one, may have
    asked for more."""
    widened = {}
    for name, value in configuration(table).items():
        listed = (has.get(name) or "").split(",")
        more = [column for column in listed if column and column not in table.column_names]
        widened[name] = ",".join([value, *more])
    return widened


def _fields(table: TableContract, names: list[str]) -> list[Field]:
    chosen = StructType([field for field in table.schema if field.name in names])
    return Schema.from_json(chosen.json()).fields
