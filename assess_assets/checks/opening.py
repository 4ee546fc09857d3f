"""A table as a check finds it: pinned if it is there, and how its columns differ from the contract.

A check never makes a table, so it does not use `Lake.pin`, which does.
"""

import json
from dataclasses import dataclass
from typing import NamedTuple

from deltalake import DeltaTable
from pyspark.sql.types import StructType

from assess_assets.commands import update_command
from assess_assets.storage.delta import Pin
from assess_assets.storage.lake import Lake
from assess_assets.tables.contract import TableContract


class Difference(NamedTuple):
    """A column that the contract and the table do not share, or type differently."""

    column: str
    expected: str
    found: str


@dataclass(frozen=True)
class Opened:
    """`pin` is None for a table that does not exist."""

    table: TableContract
    customer: str
    uri: str
    pin: Pin | None
    differences: tuple[Difference, ...] = ()

    @property
    def fault(self) -> str | None:
        """Why nothing can be asked of it, and what to do; None if all is well."""
        whose = f"Customer {self.customer}: table {self.table.name} ({self.uri})"
        if self.pin is None:
            make = update_command(self.customer)
            return f"{whose} does not exist yet. Materialize it first: {make}"
        told = [
            f"{one.column} is {one.found} instead of {one.expected}"
            for one in self.differences
            if one.expected != ABSENT
        ]
        if told:
            return (
                f"{whose} does not have its contract's columns: {'; '.join(told)}. Restore an "
                "earlier version of it, or deploy the code that it was written by."
            )
        return None


ABSENT = "absent"


def open_table(lake: Lake, table: TableContract, customer: str) -> Opened:
    uri = lake.layout.uri(table, customer)
    pin = lake.pin_existing(table, customer)
    return Opened(table, customer, uri, pin, _differences(table, pin.log) if pin else ())


def _differences(table: TableContract, found: DeltaTable) -> tuple[Difference, ...]:
    """Nullability is not compared: `required_columns_are_filled` looks at the values."""
    theirs = _types(StructType.fromJson(json.loads(found.schema().to_json())))
    ours = _types(table.schema)
    return tuple(
        Difference(name, ours.get(name, ABSENT), theirs.get(name, ABSENT))
        for name in dict.fromkeys((*ours, *theirs))
        if ours.get(name) != theirs.get(name)
    )


def _types(schema: StructType) -> dict[str, str]:
    return {field.name: field.dataType.simpleString() for field in schema}
