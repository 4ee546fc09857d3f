"""The stored rows of an aggregate beside the same rows counted again from the detail tables."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from assess_assets.explain.aggregates import Aggregate
from assess_assets.explain.sources import Row


@dataclass(frozen=True)
class Value:
    """One value of one row, stored and counted again."""

    column: str
    stored: Any
    recomputed: Any
    tolerance: float = 0.0

    @property
    def is_equal(self) -> bool:
        if isinstance(self.stored, float) and isinstance(self.recomputed, float):
            return math.isclose(self.stored, self.recomputed, rel_tol=0, abs_tol=self.tolerance)
        return bool(self.stored == self.recomputed)


@dataclass(frozen=True)
class ExplainedRow:
    key: Row
    values: list[Value]

    @property
    def differing(self) -> list[Value]:
        return [value for value in self.values if not value.is_equal]


def compare(
    aggregate: Aggregate,
    stored: pa.Table,
    recounted: pa.Table,
    made_from: Row,
    columns: Sequence[str],
) -> list[ExplainedRow]:
    """`recounted` has all rows of the table: ranks are among all. A row it lacks is all nulls."""
    keys = aggregate.table.key
    names = recounted.column_names
    types = pa.schema([stored.schema.field(name) for name in names])
    again = {tuple(row[key] for key in keys): row for row in recounted.cast(types).to_pylist()}
    rows = []
    for row in stored.to_pylist():
        key = tuple(row[name] for name in keys)
        found = again.get(key)
        values = {} if found is None else {**found, **made_from}
        near = {} if found is None else _tolerances(aggregate, found)
        rows.append(
            ExplainedRow(
                dict(zip(keys, key, strict=True)),
                [Value(name, row[name], values.get(name), near.get(name, 0.0)) for name in columns],
            )
        )
    return rows


def _tolerances(aggregate: Aggregate, recounted: Row) -> dict[str, float]:
    recount = aggregate.recount
    return {name: recount.tolerance(name, recounted) for name in recount.near}
