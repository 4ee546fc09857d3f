"""`assess explain`: what a number of an aggregate is made from, and what counting again gives.

Belongs here: the command and how an explanation looks. What it says is `explain`'s business.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from assess_assets.cli.deployment import deployment, has_no_message, no_message_yet
from assess_assets.cli.errors import CommandFailed
from assess_assets.cli.options import AsJson, Customer, CustomerName, chosen_customer
from assess_assets.cli.output import print_json, print_rows
from assess_assets.cli.show import existing_tables

if TYPE_CHECKING:
    from assess_assets.explain.aggregates import Aggregate
    from assess_assets.explain.explanation import Explanation
    from assess_assets.explain.recomputed import Value
    from assess_assets.storage.layout import LakeLayout


def explain(
    table: Annotated[str, typer.Argument(help="An aggregate, such as exam_counts.")],
    column: Annotated[str | None, typer.Argument(help="One column (default: all).")] = None,
    customer: Customer = None,
    customer_name: CustomerName = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="SQL", help="Only rows for which this holds.")
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, help="At most so many rows, and so many messages listed.")
    ] = 5,
    as_json: AsJson = False,
) -> None:
    """Explain numbers of an aggregate, and count them again.

    Tells their definition, the messages they are counted from and the ranges these came in. Exit
    code 1 if a number differs from its recount, or messages don't add up.
    """
    from assess_assets.explain.explanation import as_json as told_as_json

    key = chosen_customer(customer, customer_name)
    aggregate = _aggregate(table)
    if column is not None and column not in aggregate.table.column_names:
        raise typer.BadParameter(
            f"Table {table} has no column {column!a}. "
            f"Columns: {', '.join(aggregate.table.column_names)}."
        )
    columns = aggregate.table.column_names if column is None else [column]
    _, layout = deployment()
    told = _explain(layout, key, aggregate, columns, where, limit)
    if as_json:
        print_json(told_as_json(told, where))
    else:
        _print(told, where, limit)
    _refuse_what_is_wrong(told, layout)


def _aggregate(name: str) -> "Aggregate":
    from assess_assets.explain.aggregates import EXPLAINABLE
    from assess_assets.tables.registry import TABLES

    if name not in EXPLAINABLE:
        known = any(table.name == name for table in TABLES)
        fault = "can't be explained" if known else "does not exist"
        raise typer.BadParameter(
            f"Table {name!a} {fault}. Explained are: {', '.join(EXPLAINABLE)}."
        )
    return EXPLAINABLE[name]


def _explain(
    layout: "LakeLayout",
    key: str,
    aggregate: "Aggregate",
    columns: list[str],
    where: str | None,
    limit: int,
) -> "Explanation":
    import duckdb

    from assess_assets.explain.explanation import NothingToExplain, explain
    from assess_assets.storage.sandbox import NotAQuery, in_reach, open_tables

    opened = existing_tables(layout, key)
    name = aggregate.table.name
    if aggregate.table.shared:
        opened |= open_tables(layout, key, [aggregate.table])
    try:
        return explain(layout, key, opened, aggregate, columns, where, limit)
    except NothingToExplain as nothing:
        if opened[name] is not None and has_no_message(layout, key):
            raise CommandFailed(no_message_yet(key)) from None
        absent = "does not exist" if opened[name] is None else str(nothing)
        fix = f" Look at it: assess show {name} --customer {key}" if where else _make(name, key)
        raise CommandFailed(
            f"Customer {key}, table {name} ({layout.uri(aggregate.table, key)}): {absent}.", fix
        ) from None
    except (duckdb.Error, NotAQuery) as error:
        raise CommandFailed(f"Customer {key}, table {name}: {in_reach(error)}") from None


def _make(name: str, key: str) -> str:
    return (
        "Next: dagster asset materialize -m assess_assets.definitions "
        f"--select '+{name}' --partition {key}"
    )


def _print(told: "Explanation", where: str | None, limit: int) -> None:
    table = told.aggregate.table
    typer.echo(f"Customer {told.customer}, {table.name}{f' where {where}' if where else ''}")
    typer.echo(table.grain)
    typer.echo(
        "Made from build {build}, batches up to {batch}.".format_map(told.made_from)
        + (f" {_behind(told)}" if told.is_behind or told.later_messages else "")
        + "\n"
    )
    _print_values(told, limit)
    typer.echo("\nFrom messages to attempts")
    print_rows(["", "", "count"], [(step.sign, step.label, step.count) for step in told.steps])
    holding = sum(balance.holds for balance in told.balances)
    typer.echo(f"{holding} of {len(told.balances)} balances hold.")
    typer.echo("\nSources: offsets claimed to be read, and what came of their messages")
    _print_sources(told)
    shown = len(told.messages)
    first = f" (the first {shown} of {told.messages_counted})"
    typer.echo(
        f"\nMessages counted: {told.messages_counted}"
        + (first if shown < told.messages_counted else "")
    )
    print_rows(
        ["fate", "source", "partition", "offset", "batch"],
        [tuple(message.values()) for message in told.messages],
    )
    typer.echo(f"\nAll of them, in assess sql --customer {told.customer}:\n{told.messages_query}\n")
    print_rows(
        ["table", "version", "rows", "build", "batch"],
        [tuple(state.values()) for state in told.tables],
    )


def _behind(told: "Explanation") -> str:
    now = "Attempts are at build {build}, batch {batch} now".format_map(told.ledger)
    behind = f"{now}: the table is behind" if told.is_behind else "The table is up to date"
    return (
        f"{behind}, and {told.later_messages} messages came later. "
        f"{_make(told.aggregate.table.name, told.customer)}"
    )


def _print_values(told: "Explanation", limit: int) -> None:
    """Definitions; then each value of one row or column, or of many how many equal a recount."""
    keys = told.aggregate.table.key
    for column in told.aggregate.table:
        if column.name in told.columns:
            made_of = f" [{', '.join(column.sources)}]" if column.sources else ""
            typer.echo(f"{column.name}: {column.meaning}{made_of}")
    typer.echo()
    many = len(told.rows) > 1 and len(told.columns) > 1
    if many:
        wrong = [value.column for row in told.differing for value in row.differing]
        print_rows(
            ["column", "rows", "equal a recount"],
            [(name, len(told.rows), len(told.rows) - wrong.count(name)) for name in told.columns],
        )
    # What differs comes first, so that no limit hides it.
    shown = told.differing if many else sorted(told.rows, key=lambda row: not row.differing)
    values = [
        (*row.key.values(), value.column, value.stored, value.recomputed, _verdict(value))
        for row in shown[:limit]
        for value in (row.differing if many else row.values)
    ]
    if values:
        print_rows([*keys, "column", "stored", "recomputed", ""], values)
    if len(shown) > limit:
        typer.echo(f"The first {limit} of {len(shown)} rows: --limit gives more.")


def _verdict(value: "Value") -> str:
    return "equal" if value.is_equal else "DIFFERS"


def _print_sources(told: "Explanation") -> None:
    print_rows(
        ["source", "part.", "ranges", "lost", "messages", *told.sources[0].fates, "counted"],
        [
            (
                one.source,
                one.partition,
                ", ".join(_span(span) for span in one.ranges),
                one.lost,
                one.messages,
                *one.fates.values(),
                one.counted,
            )
            for one in told.sources
        ],
    )


def _span(span: dict[str, object]) -> str:
    kind = "" if span["kind"] == "read" else f" {span['kind']}"
    return f"{span['start_offset']}-{span['end_offset']}{kind}"


def _refuse_what_is_wrong(told: "Explanation", layout: "LakeLayout") -> None:
    table = told.aggregate.table
    wrong = [f"- {one.meaning}: {one.left} and {one.right}" for one in told.unbalanced]
    for row in told.differing:
        names = ", ".join(value.column for value in row.differing)
        differ = "differs" if len(row.differing) == 1 else "differ"
        wrong.append(
            f"- {', '.join(map(str, row.key.values()))}: {names} {differ} from the recount"
        )
    if wrong:
        shown = "\n".join(wrong[:20]) + (f"\n- and {len(wrong) - 20} more" if wrong[20:] else "")
        raise CommandFailed(
            f"Customer {told.customer}, table {table.name} ({layout.uri(table, told.customer)}): "
            f"the numbers do not add up.\n{shown}\n"
            + (
                f"The table is behind. {_make(table.name, told.customer)}"
                if told.is_behind
                else "Was a table changed by hand? The checks say which: `assess history` has the "
                "versions; to make all from raw_messages: assess rebuild --customer "
                f"{told.customer} --reason 'numbers did not add up'"
            )
        )
