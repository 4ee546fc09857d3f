"""Facts that every table's contract states: its columns, which of them are filled, its keys.

Generated: a table that is declared and has an asset is checked.
"""

from assess_assets.checks.facts import ATTEMPT, Fact, Schema, coordinates_of, named
from assess_assets.tables.contract import TableContract


def contract_facts(table: TableContract) -> tuple[Schema, Fact, Fact]:
    """Schema first: the others can only be asked of a table that has the columns."""
    return schema_matches(table), required_are_filled(table), keys_are_unique(table)


def schema_matches(table: TableContract) -> Schema:
    return Schema(
        name=f"{table.name}_schema_matches_its_contract",
        table=table.name,
        meaning=f"{table.name} has the columns of its contract, with their types, and no others.",
    )


def required_are_filled(table: TableContract) -> Fact:
    where = ", ".join(f"t.{name}" for name in coordinates_of(table))
    empty = named((name, f"t.{name} is null") for name in table.required)
    shown = ", ".join(f"f.{name}" for name in coordinates_of(table))
    return Fact(
        name=f"{table.name}_required_columns_are_filled",
        table=table.name,
        meaning=f"No row of {table.name} lacks a value that its contract requires.",
        query=f"select {shown}, f.empty_columns\n"
        f"from (select {where}, {empty} as empty_columns\n"
        f"      from {{{table.name}}} t) f\n"
        "where f.empty_columns <> ''",
    )


def keys_are_unique(table: TableContract) -> Fact:
    where = ", ".join(f"t.{name}" for name in coordinates_of(table))
    key = ", ".join(f"k.{name}" for name in table.key)
    counted = f"{{{table.name}}} k" + (f" where {table.unique_where}" if table.unique_where else "")
    hashed = f"select xxhash64({key}) as hash from {counted}"
    same = " and ".join(f"d.{name} = t.{name}" for name in table.key)
    return Fact(
        name=f"{table.name}_keys_are_unique",
        table=table.name,
        meaning=f"No two rows of {table.name} have the same key ({', '.join(table.key)}).",
        query=f"select {where}, d.copies\n"
        f"from {{{table.name}}} t\n"
        f"join (select {key}, count(*) as copies from {counted}\n"
        f"      group by {key} having count(*) > 1) d on {same}",
        # Same keys have the same hash, and hashes take a third of the memory and of the time.
        suspicion=f"select k.hash from ({hashed}) k group by k.hash having count(*) > 1",
        slices=ATTEMPT if ATTEMPT in table.key else None,
    )
