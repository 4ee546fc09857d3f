"""`assess show` and `assess sql`: one customer's rows, without an engine and without a way out.

Belongs here: the commands. What a query can reach is storage/sandbox's business.
"""

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assess_assets.cli.deployment import deployment
from assess_assets.cli.errors import CommandFailed
from assess_assets.cli.options import AsJson, Customer, CustomerName, Limit, chosen_customer
from assess_assets.cli.output import print_json_rows, print_rows

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
    as_json: AsJson = False,
) -> None:
    """Show rows of a customer's table. They come in the order of its contract."""
    key = chosen_customer(customer, customer_name)
    sql = _select(table, where, columns)
    _, layout = deployment()
    _run(layout, key, sql, limit, as_json)


def sql(
    query: Annotated[str, typer.Argument(metavar="SELECT", help="One SELECT, in DuckDB's SQL.")],
    customer: Customer = None,
    customer_name: CustomerName = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Query a customer's tables. Only its own exist in the query; nothing can be written."""
    key = chosen_customer(customer, customer_name)
    _, layout = deployment()
    _run(layout, key, query, limit, as_json)


def _select(name: str, where: str | None, columns: str | None) -> str:
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
        *([f"WHERE ({where}\n)"] if where else []),
        *([f"ORDER BY {_quoted(table.order)}"] if table.order else []),
    ]
    return " ".join(clauses)


def _quoted(names: Any) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _run(layout: "LakeLayout", key: str, text: str, limit: int | None, as_json: bool) -> None:
    import duckdb

    from assess_assets.storage.sandbox import NotAQuery, in_reach, query, sql_over

    most = DEFAULT_ROWS if limit is None and not as_json else limit
    with sql_over(existing_tables(layout, key), key) as session:
        try:
            found = query(session, text, None if most is None else most + 1)
        except (duckdb.Error, NotAQuery) as error:
            is_syntax = isinstance(error, duckdb.ParserException) and _UNQUOTED.search(text)
            hint = '\nThe columns "offset" and "partition" need their quotes.' if is_syntax else ""
            raise CommandFailed(f"Customer {key}: {in_reach(error)}{hint}") from None
    rows = found.slice(0, most)
    names = _distinct(found.column_names)
    values = list(zip(*(column.to_pylist() for column in rows.columns), strict=True))
    if as_json:
        print_json_rows(dict(zip(names, row, strict=True)) for row in values)
    elif not values:
        typer.echo(f"Customer {key}: no rows. (Columns: {', '.join(names)}.)")
    elif names == ["explain_key", "explain_value"]:
        typer.echo(values[0][1])
    else:
        print_rows(names, values)
    if found.num_rows > rows.num_rows:
        typer.echo(f"Only the first {most} rows: --limit gives more.", err=True)


def existing_tables(layout: "LakeLayout", key: str) -> "dict[str, DeltaTable | None]":
    """The customer's tables as they are now. A customer that has none is an error."""
    from assess_assets.storage.sandbox import open_tables

    opened = open_tables(layout, key)
    if not any(opened.values()):
        raise CommandFailed(
            f"Customer {key} has no tables in {layout.root}. `assess customers` lists who has; to "
            "make them: dagster asset materialize -m assess_assets.definitions --select '*' "
            f"--partition {key}"
        )
    return opened


def _distinct(names: list[str]) -> list[str]:
    """Column names for JSON objects: of equal ones, the later get a number."""
    seen: dict[str, int] = {}
    made = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return made
