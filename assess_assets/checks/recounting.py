"""A recount of an aggregate: rows counted again, to be compared with the stored ones or shown.

Belongs here: what follows from one declaration. Does not: how any table is counted (`recount`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from assess_assets.checks.facts import Fact, named, of_customer, plain_names

# A mean depends on the order it is summed in: in the last digits of what is summed.
NEAR: Final = 1e-9


@dataclass(frozen=True)
class Recount:
    """`relations` are CTEs on top of `made`, the batch that the table was made from; the last one
    is `recount`, whose columns equal the table's: exactly, or (`near`) to 1e-9 of the
    value, of 1, or of the column that `scales` names for it, whichever is the largest: the spread
    of large numbers may be small. `rows` are those of the table that are the customer's, if others
    are in it too."""

    table: str
    relations: list[str]
    key: list[str]
    same: list[str]
    near: list[str]
    scales: Mapping[str, str] = field(default_factory=dict)
    rows: str | None = None

    @property
    def fact(self) -> Fact:
        """That every row of the table equals the recount."""
        keys = ", ".join(f"coalesce(t.{name}, r.{name}) as {name}" for name in self.key)
        shown = ", ".join(f"f.{name}" for name in self.key)
        joined = " and ".join(f"r.{name} = t.{name}" for name in self.key)
        differs = named(
            [
                *((name, f"t.{name} is distinct from r.{name}") for name in self._exact),
                *((name, self._is_off(name)) for name in self.near),
            ]
        )
        return Fact(
            name=f"{self.table}_{'equal' if self.table.endswith('s') else 'equals'}_a_recount",
            table=self.table,
            meaning=f"Every row of {self.table} equals a recount from the attempts and their "
            "messages.",
            query=f"with {self._counted}"
            + f"\nselect {shown}, f.differs\n"
            + f"from (select {keys}, {differs} as differs\n"
            + f"      from {self._stored} t full outer join recount r on {joined}) f\n"
            + "where f.differs <> ''",
        )

    def sql(self, customer: str) -> str:
        """The customer's recounted rows, where its tables have their plain names."""
        columns = ", ".join(f"r.{name}" for name in (*self._exact, *self.near))
        text = f"with {self._counted}\nselect {columns} from recount r"
        return plain_names(of_customer(text, customer))

    def tolerance(self, column: str, row: Mapping[str, Any]) -> float:
        """By how much a stored value may differ from that of the recounted row."""
        return NEAR * max(1.0, *(abs(float(row[name] or 0)) for name in self._sizes(column)))

    def _is_off(self, column: str) -> str:
        sizes = ", ".join(f"abs(r.{name})" for name in self._sizes(column))
        stored, recounted = f"t.{column}", f"r.{column}"
        return (
            f"({stored} is null) <> ({recounted} is null) "
            f"or abs({stored} - {recounted}) > {NEAR} * greatest(1.0, {sizes})"
        )

    def _sizes(self, column: str) -> list[str]:
        return [column, *filter(None, [self.scales.get(column)])]

    @property
    def _exact(self) -> list[str]:
        return [*self.key, *self.same]

    @property
    def _stored(self) -> str:
        return f"({self.rows})" if self.rows else f"{{{self.table}}}"

    @property
    def _counted(self) -> str:
        made = (
            "made as (select coalesce(max(m.build), 9223372036854775807) as build, "
            f"coalesce(max(m.batch), 9223372036854775807) as batch from {self._stored} m)"
        )
        return ",\n".join([made, *self.relations])
