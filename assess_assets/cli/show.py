"""`assess show` and `assess sql`: one customer's rows, without an engine and without a way out.

Belongs here: the commands. What a query can reach is storage/sandbox's business.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assess_assets.cli.deployment import deployment
from assess_assets.cli.errors import CommandFailed
from assess_assets.cli.options import (
    DEFAULT_TIMEOUT,
    AsJson,
    Customer,
    CustomerName,
    Limit,
    Timeout,
    chosen_customer,
    seconds_of,
)
from assess_assets.cli.output import print_json_rows, print_rows, say_cut
from assess_assets.commands import first_update_command

if TYPE_CHECKING:
    from deltalake import DeltaTable

    from assess_assets.storage.layout import LakeLayout

DEFAULT_ROWS = 20
_UNQUOTED = re.compile(r'(?<!")\b(offset|partition)\b(?!")', re.IGNORECASE)


def show(
    table: Annotated[str, typer.Argument(help="A table's name (docs/tables.md).")],
    customer: Customer = None,
    customer_name: CustomerName = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="SQL", help="Only rows for which this holds.")
    ] = None,
    columns: Annotated[
        str | None, typer.Option("--columns", metavar="A,B", help="Only these columns.")
    ] = None,
    limit: Limit = None,
    timeout: Timeout = DEFAULT_TIMEOUT,
    as_json: AsJson = False,
) -> None:
    """Show rows of a customer's table. They come in the order of its contract."""
    key = chosen_customer(customer, customer_name)
    with refused_sql_told(f"Customer {key}", where):
        sql = _select(table, where, columns)
    _, layout = deployment()
    _run(layout, key, sql, limit, timeout, as_json)


def sql(
    query: Annotated[str, typer.Argument(metavar="SELECT", help="One SELECT, in DuckDB's SQL.")],
    customer: Customer = None,
    customer_name: CustomerName = None,
    limit: Limit = None,
    timeout: Timeout = DEFAULT_TIMEOUT,
    as_json: AsJson = False,
) -> None:
    """Query a customer's tables. Only its own exist in the query; nothing can be written."""
    key = chosen_customer(customer, customer_name)
    _, layout = deployment()
    _run(layout, key, query, limit, timeout, as_json)


def _select(name: str, where: str | None, columns: str | None) -> str:
    from assess_assets.storage.sandbox import condition
    from assess_assets.tables.registry import CUSTOMER_TABLES

    table = next((one for one in CUSTOMER_TABLES if one.name == name), None)
    if table is None:
        known = ", ".join(one.name for one in CUSTOMER_TABLES)
        raise typer.BadParameter(f"A customer has no table {name!a}. Tables: {known}.")
    picked = [column.strip() for column in columns.split(",")] if columns else table.column_names
    unknown = [column for column in picked if column not in table.column_names]
    if unknown:
        raise typer.BadParameter(
            f"Table {name} has no column {', '.join(map(ascii, unknown))}. "
            f"Columns: {', '.join(table.column_names)}."
        )
    clauses = [
        f"SELECT {_quoted(picked)} FROM {_quoted([name])}",
        *([condition(where)] if where is not None else []),
        *([f"ORDER BY {_quoted(table.order)}"] if table.order else []),
    ]
    return " ".join(clauses)


def _quoted(names: Any) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _run(
    layout: "LakeLayout", key: str, text: str, limit: int | None, timeout: str, as_json: bool
) -> None:
    from assess_assets.storage.damage import damage_told
    from assess_assets.storage.sandbox import QueryTookTooLong, query_within, sql_over

    seconds = seconds_of(timeout, "--timeout")
    most = DEFAULT_ROWS if limit is None and not as_json else limit
    opened = _opened(layout, key, text)
    refused, damaged = refused_sql_told(f"Customer {key}", text), damage_told(key, layout.root)
    with refused, damaged, sql_over(opened, key) as session:
        try:
            found = query_within(session, text, seconds, None if most is None else most + 1)
        except QueryTookTooLong:
            raise CommandFailed(
                f"Customer {key}: the query was not done after {timeout}, and was stopped.",
                "Does a join lack its condition? Make it smaller, or give it more: --timeout 30m",
            ) from None
    rows = found.slice(0, most)
    names = _distinct(found.column_names)
    columns = [_values(key, name, column) for name, column in zip(names, rows.columns, strict=True)]
    values = list(zip(*columns, strict=True))
    if as_json:
        print_json_rows(dict(zip(names, row, strict=True)) for row in values)
    elif not values:
        typer.echo(f"Customer {key}: no rows. (Columns: {', '.join(names)}.)")
    elif names == ["explain_key", "explain_value"]:
        typer.echo(values[0][1])
    else:
        print_rows(names, values)
    if most is not None and found.num_rows > most:
        say_cut(most)


@contextmanager
def refused_sql_told(where: str, text: str | None) -> Iterator[None]:
    """What is wrong with the SQL that somebody gave, in one message that begins with `where`."""
    import duckdb

    from assess_assets.storage.sandbox import NotAQuery, in_reach

    try:
        yield
    except (duckdb.Error, NotAQuery) as error:
        is_syntax = isinstance(error, duckdb.ParserException) and _UNQUOTED.search(text or "")
        hint = '\nThe columns "offset" and "partition" need their quotes.' if is_syntax else ""
        raise CommandFailed(f"{where}: {in_reach(error)}{hint}") from None


def _values(key: str, name: str, column: Any) -> list[Any]:
    try:
        return list(column.to_pylist())
    except (OverflowError, ValueError) as error:  # a time like infinity, or in the year 10000
        raise CommandFailed(
            f"Customer {key}: column {name!a} has a value that can't be shown ({error}). "
            "Cast it to text: ...::VARCHAR"
        ) from None


def _opened(layout: "LakeLayout", key: str, text: str) -> "dict[str, DeltaTable | None]":
    """All tables; if one can't be read, those that the text names: it is in nobody else's way."""
    from assess_assets.storage.damage import TableDamaged
    from assess_assets.storage.sandbox import open_tables
    from assess_assets.tables.registry import CUSTOMER_TABLES

    try:
        return existing_tables(layout, key)
    except TableDamaged:
        words = set(re.findall(r"\w+", text.lower()))
        if named := [table for table in CUSTOMER_TABLES if table.name in words]:
            return open_tables(layout, key, named)
        raise


def existing_tables(layout: "LakeLayout", key: str) -> "dict[str, DeltaTable | None]":
    """The customer's tables as they are now. A customer that has none is an error."""
    from assess_assets.storage.sandbox import open_tables

    opened = open_tables(layout, key)
    if not any(opened.values()):
        raise CommandFailed(
            f"Customer {key} has no tables in {layout.root}. `assess customers` lists who has; to "
            f"make them: {first_update_command(key)}"
        )
    return opened


def _distinct(names: list[str]) -> list[str]:
    """Column names for JSON objects: of equal ones, the later get a number that makes them new."""
    made: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in count(2))
        others = {*names, *made}
        made.append(next(one for one in numbered if one not in others) if name in made else name)
    return made
