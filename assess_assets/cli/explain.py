"""`assess explain`: what a number of an aggregate is made from, and what counting again gives.

Belongs here: the command. How an explanation looks is in `explaining`; what it says, in the
package `explain`.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from assess_assets.cli.deployment import deployment, has_no_message, no_message_yet
from assess_assets.cli.errors import CommandFailed
from assess_assets.cli.explaining import explained_as_json, first_rows, print_explanation
from assess_assets.cli.options import AsJson, Customer, CustomerName, chosen_customer
from assess_assets.cli.output import print_json
from assess_assets.cli.show import existing_tables, refused_sql_told
from assess_assets.commands import update_command

if TYPE_CHECKING:
    from assess_assets.explain.aggregates import Aggregate
    from assess_assets.explain.explanation import Explanation
    from assess_assets.storage.layout import LakeLayout

DEFAULT_ROWS = 5


def explain(
    table: Annotated[str, typer.Argument(help="An aggregate, such as exam_counts.")],
    column: Annotated[str | None, typer.Argument(help="One column (default: all).")] = None,
    customer: Customer = None,
    customer_name: CustomerName = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="SQL", help="Only rows for which this holds.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="At most so many rows, and so many messages listed (default: 5, and with --json "
            "all rows).",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain numbers of an aggregate, and count them again.

    Tells their definition, the messages they are counted from and the ranges these came in. Exit
    code 1 if a number differs from its recount, or messages don't add up.
    """
    key = chosen_customer(customer, customer_name)
    aggregate = _aggregate(table)
    if column is not None and column not in aggregate.table.column_names:
        raise typer.BadParameter(
            f"Table {table} has no column {column!a}. "
            f"Columns: {', '.join(aggregate.table.column_names)}."
        )
    columns = aggregate.table.column_names if column is None else [column]
    _, layout = deployment()
    told = _explain(layout, key, aggregate, columns, where, limit or DEFAULT_ROWS)
    if as_json:
        print_json(explained_as_json(told, where, limit))
        if limit is not None and len(told.rows) > limit:
            typer.echo(first_rows(limit, len(told.rows)), err=True)
    else:
        print_explanation(told, where, limit or DEFAULT_ROWS)
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
    from assess_assets.explain.explanation import NothingToExplain, OriginLost, explain
    from assess_assets.storage.damage import damage_told
    from assess_assets.storage.sandbox import open_tables

    opened = existing_tables(layout, key)
    name = aggregate.table.name
    if aggregate.table.shared:
        opened |= open_tables(layout, key, [aggregate.table])
    try:
        refused = refused_sql_told(f"Customer {key}, table {name}", where)
        with refused, damage_told(key, layout.root):
            return explain(layout, key, opened, aggregate, columns, where, limit)
    except NothingToExplain as nothing:
        if opened[name] is not None and has_no_message(layout, key):
            raise CommandFailed(no_message_yet(key)) from None
        absent = "does not exist" if opened[name] is None else str(nothing)
        fix = (
            f" Look at it: {_shown_by(aggregate, key)}" if where else f"Next: {update_command(key)}"
        )
        raise CommandFailed(
            f"Customer {key}, table {name} ({layout.uri(aggregate.table, key)}): {absent}.", fix
        ) from None
    except OriginLost as lost:
        raise CommandFailed(
            f"Customer {key}, table {name} ({layout.uri(aggregate.table, key)}): {lost}.",
            f"To make it again: {_rebuild(key)}",
        ) from None


def _shown_by(aggregate: "Aggregate", key: str) -> str:
    if aggregate.table.shared:
        return "assess customers --overview"
    return f"assess show {aggregate.table.name} --customer {key}"


def _rebuild(key: str) -> str:
    return f"assess rebuild --customer {key} --reason 'numbers did not add up'"


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
                f"The table is behind. Next: {update_command(told.customer)}"
                if told.is_behind
                else "Was a table changed by hand? The checks say which: `assess history` has the "
                f"versions; to make all from raw_messages: {_rebuild(told.customer)}"
            )
        )
