"""A recount of an aggregate: rows counted again, to be compared with the stored ones or shown.

Belongs here: what follows from one declaration. Does not: how any table is counted (`recount`).
"""

from dataclasses import dataclass
from typing import Final

from assess_assets.checks.facts import Fact, named, of_customer, plain_names

NEAR: Final = 1e-9  # a mean depends on the order it is summed in


@dataclass(frozen=True)
class Recount:
    """`relations` are CTEs on top of `made`, the batch that the table was made from; the last one
    is `recount`, whose columns equal the table's: exactly, or (`near`) to 1e-9. `rows` are those of
    the table that are the customer's, if others are in it too."""

    table: str
    relations: list[str]
    key: list[str]
    same: list[str]
    near: list[str]
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
                *((name, _is_off(name)) for name in self.near),
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


def _is_off(name: str) -> str:
    both_null = f"case when t.{name} is null and r.{name} is null then 0 else 1 end"
    return f"coalesce(abs(t.{name} - r.{name}), {both_null}) > {NEAR}"
