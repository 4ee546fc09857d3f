"""What a check declares: a fact, as SQL that selects the rows which break it.

Belongs here: the kinds of check and what follows from one declaration alone. Does not belong here:
any particular fact (one module per kind beside this), running them (`examine`), Dagster.
"""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, replace
from string import Formatter
from typing import TypeAlias

from assess_assets.customers import CustomerPolicy
from assess_assets.tables.contract import TableContract

ATTEMPT = "user_exam_id"  # the column of that name, in every table that is about attempts
# What queries may name beside tables: a string.
THIS_CUSTOMER = "this_customer"


@dataclass(frozen=True)
class Fact:
    """A fact about `table`. `query` selects the failing rows, with coordinates a person can use.

    Tables stand in the query as `{questions} q`; `sql` has their plain names. The text must mean
    the same in Sail, Apache Spark and DuckDB: columns are always qualified (`q.offset`), because
    offset, partition and timestamp are words of one dialect or another. What identifies a person
    or an attempt is compared and never selected.

    `suspicion` is a cheaper query that has rows whenever `query` has any, and may have some when it
    has none: only then is `query` asked. The engine's own words are fine in it.
    """

    name: str
    table: str
    meaning: str
    query: str
    blocking: bool = True  # a fact that does not block warns
    suspicion: str | None = None
    slices: str | None = None

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that it reads, its own first."""
        return tables_named(self.table, self.query)

    @property
    def sql(self) -> str:
        """The query for people, to be run where the customer's tables have their plain names."""
        return plain_names(self.query)

    def about(self, customer: str) -> "Fact":
        """The same fact with the customer spelled out, if it asks for it."""
        return replace(self, query=of_customer(self.query, customer))


@dataclass(frozen=True)
class Rate:
    """A share of rows that are allowed, and should be few: `query` selects them, out of `of`.

    Becomes two checks: `<name>`, which warns of any such row, and `<name>_is_within_its_limit`,
    which blocks above the policy's limit. Not one with two severities: Dagster's automation takes
    a warning of a blocking check for a closed gate.
    """

    name: str
    table: str
    meaning: str
    query: str
    of: str
    reason: str  # the column of `query` that says why
    limit: str  # the policy's field

    def limit_of(self, policy: CustomerPolicy) -> float:
        return float(getattr(policy, self.limit))

    @property
    def limited(self) -> str:
        """Name of the check that blocks."""
        return f"{self.name}_is_within_its_limit"

    @property
    def tables(self) -> tuple[str, ...]:
        return tables_named(self.table, f"{{{self.of}}} {self.query}")

    @property
    def sql(self) -> str:
        return plain_names(self.query)


@dataclass(frozen=True)
class Schema:
    """The fact that a table has exactly its contract's columns; the Delta log knows."""

    name: str
    table: str
    meaning: str
    blocking: bool = True

    @property
    def tables(self) -> tuple[str, ...]:
        return (self.table,)

    @property
    def sql(self) -> str:
        return f"describe {self.table}"


Check: TypeAlias = Fact | Rate | Schema


def coordinates_of(table: TableContract) -> list[str]:
    """Columns that say where a row is, without saying whose: for samples of failing rows."""
    public = set(table.public_columns)
    return [name for name in dict.fromkeys((*table.order, *table.key)) if name in public]


def where_it_is(alias: str) -> str:
    """The source coordinates of a row, for a select list."""
    return f"{alias}.source, {alias}.partition, {alias}.offset, {alias}.batch"


def same_message(left: str, right: str) -> str:
    """Two rows are about the same message, for a join."""
    return (
        f"{left}.source = {right}.source and {left}.partition = {right}.partition "
        f"and {left}.offset = {right}.offset"
    )


def named(cases: Iterable[tuple[str, str]]) -> str:
    """SQL listing the names of all conditions that hold; empty if none does."""
    told = ", ".join(f"case when {condition} then '{name}' end" for name, condition in cases)
    return f"concat_ws(', ', {told})"


def query(text: str) -> str:
    return textwrap.dedent(text).strip()


def of_customer(text: str, customer: str) -> str:
    """The query with its customer spelled out. (Keys are [a-z0-9_-].)"""
    return text.replace(f"{{{THIS_CUSTOMER}}}", f"'{customer}'")


def tables_named(own: str, text: str) -> tuple[str, ...]:
    """A check's own table, and then the others that its text names."""
    names = [name for _, name, _, _ in Formatter().parse(text) if name]
    tables = (name for name in names if name != THIS_CUSTOMER)
    return tuple(dict.fromkeys((own, *tables)))


def plain_names(text: str) -> str:
    """The query with its tables' plain names, for people."""
    return text.format_map({name: name for _, name, _, _ in Formatter().parse(text) if name})
