"""Two versions of a customer's tables, compared row by row: what `assess rebuild` prints.

Belongs here: equality of rows as the project means it. Build numbers differ by design, and floats
are equal to nine digits of what was summed, because a mean depends on the order it is summed in.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pyspark.sql.types import DoubleType

from assess_assets.checks.recount import SCALES
from assess_assets.storage.sandbox import dataset_of, sandbox_of
from assess_assets.tables.contract import Column, TableContract
from assess_assets.tables.ingest import BUILDS, RAW_MESSAGES, SOURCE_RANGES
from assess_assets.tables.registry import CUSTOMER_TABLES

if TYPE_CHECKING:
    from deltalake import DeltaTable

Tables = Mapping[str, "DeltaTable | None"]

REBUILT = tuple(
    table for table in CUSTOMER_TABLES if table not in (SOURCE_RANGES, RAW_MESSAGES, BUILDS)
)

# Texts that name their own build.
REPORTS = ("content",)


def compare(before: Tables, after: Tables) -> list[dict[str, Any]]:
    """Per rebuilt table: rows before and after, how many are gone and how many are new."""
    datasets = {}
    for table in REBUILT:
        datasets[f"{table.name}_before"] = dataset_of(table, before[table.name])
        datasets[f"{table.name}_after"] = dataset_of(table, after[table.name])
    with sandbox_of(datasets) as session:
        found = []
        for table in REBUILT:
            row = session.execute(_question(table, datasets)).fetchone() or ()
            names = ("rows_before", "rows_after", "gone", "new")
            found.append({"table": table.name, **dict(zip(names, row, strict=True))})
    return found


def _question(table: TableContract, datasets: Mapping[str, Any]) -> str:
    """SQL for the four numbers. A column that one side lacks is null there."""
    sides = {}
    for side in ("before", "after"):
        has = set(datasets[f"{table.name}_{side}"].schema.names)
        columns = ", ".join(
            _compared(column) if column.name in has else f'NULL AS "{column.name}"'
            for column in table
            if column.name != "build"
        )
        sides[side] = f'(SELECT {columns} FROM "{table.name}_{side}")'
    before, after = sides["before"], sides["after"]
    return f"""
        SELECT
          (SELECT count(*) FROM {before}),
          (SELECT count(*) FROM {after}),
          (SELECT count(*) FROM ({before} EXCEPT ALL {after})),
          (SELECT count(*) FROM ({after} EXCEPT ALL {before}))
    """


def _compared(column: Column) -> str:
    value = f'"{column.name}"'
    if column.name in REPORTS:
        value = f"replace({value}, 'build ' || \"build\", 'build')"
    if isinstance(column.type, DoubleType):
        largest = SCALES.get(column.name)
        scale = f'greatest(1, "{largest}")' if largest else "1"
        value = f"round({value} / {scale}, 9)"
    return f'{value} AS "{column.name}"'
