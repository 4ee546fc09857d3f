"""How an explanation looks, for people and for programs: values, waterfall, sources.

Belongs here: what `assess explain` prints. Does not: the command, or what an explanation says.
"""

from typing import TYPE_CHECKING, Any

import typer

from assess_assets.cli.output import print_rows
from assess_assets.commands import update_command

if TYPE_CHECKING:
    from assess_assets.explain.explanation import Explanation
    from assess_assets.explain.recomputed import Value


def explained_as_json(
    told: "Explanation", where: str | None, most: int | None = None
) -> dict[str, Any]:
    """Everything, for programs; of the rows the first `most`."""
    table = told.aggregate.table
    return {
        "customer": told.customer,
        "table": table.name,
        "grain": table.grain,
        "where": where,
        "made_from": told.made_from,
        "ledger": told.ledger,
        "is_behind": told.is_behind,
        "later_messages": told.later_messages,
        "tables": told.tables,
        "columns": [
            {"column": column.name, "definition": column.meaning, "sources": list(column.sources)}
            for column in table
            if column.name in told.columns
        ],
        "rows": [
            {
                "key": row.key,
                "values": {
                    value.column: {
                        "stored": value.stored,
                        "recomputed": value.recomputed,
                        "equal": value.is_equal,
                    }
                    for value in row.values
                },
            }
            for row in told.differing_first[:most]
        ],
        "waterfall": [vars(step) for step in told.steps],
        "balances": [
            {"meaning": one.meaning, "left": one.left, "right": one.right, "holds": one.holds}
            for one in told.balances
        ],
        "sources": [vars(one) for one in told.sources],
        "messages_counted": told.messages_counted,
        "first_messages": told.messages,
        "messages_query": told.messages_query,
    }


def first_rows(limit: int, of: int) -> str:
    return f"The first {limit} of {of} rows: --limit gives more."


def print_explanation(told: "Explanation", where: str | None, limit: int) -> None:
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
    then = f"Next: {update_command(told.customer)}"
    return f"{behind}, and {told.later_messages} messages came later. {then}"


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
    shown = told.differing if many else told.differing_first
    values = [
        (*row.key.values(), value.column, value.stored, value.recomputed, _verdict(value))
        for row in shown[:limit]
        for value in (row.differing if many else row.values)
    ]
    if values:
        print_rows([*keys, "column", "stored", "recomputed", ""], values)
    if len(shown) > limit:
        typer.echo(first_rows(limit, len(shown)))


def _verdict(value: "Value") -> str:
    return "equal" if value.is_equal else "DIFFERS"


def _print_sources(told: "Explanation") -> None:
    from assess_assets.tables.fates import FATES

    print_rows(
        ["source", "part.", "ranges", "lost", "messages", *FATES, "counted"],
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
