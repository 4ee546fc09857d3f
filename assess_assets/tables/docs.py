"""The tables page of the docs, rendered from the contracts: the same text for the same contracts.

Belongs here: the page's layout. Every meaning on it is a contract's, a rule's or a fate's.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from assess_assets.messages import CONTRACT_VERSION, Rule
from assess_assets.tables.contract import Column, TableContract
from assess_assets.tables.fates import FATES
from assess_assets.tables.markdown import markdown_table
from assess_assets.tables.registry import TABLES

_HEAD: Final = """\
# Tables

Made by `assess docs` from the contracts in `assess_assets/tables`: change those, not this page.

Every table of every customer is a Delta table of its own at `<lake>/<customer>/<table>`. Types are
Spark's; timestamps are in UTC. A column marked _personal_ identifies a person or an attempt, and
previews leave it out. Columns that may be null say so; in all others a null fails a check.
"""


def tables_page() -> str:
    """The whole page, in Markdown."""
    return (
        "\n".join(
            [
                _HEAD,
                *markdown_table(("table", "group", "grain"), map(_in_contents, TABLES)),
                *(line for table in TABLES for line in _section(table)),
                "## Fates\n",
                "Every message in `raw_messages` has exactly one fate, in `message_ledger`.\n",
                *markdown_table(
                    ("fate", "meaning"), ((f"`{fate}`", meaning) for fate, meaning in FATES.items())
                ),
                "## Rules of the message contract\n",
                f"Contract version {CONTRACT_VERSION}. A message that breaks one of these is "
                "quarantined with the rule's name, where in the message it breaks it, what was "
                "expected there and what was found.\n",
                *markdown_table(
                    ("rule", "meaning"), ((f"`{rule.value}`", rule.meaning) for rule in Rule)
                ),
            ]
        ).rstrip("\n")
        + "\n"
    )


def _in_contents(table: TableContract) -> tuple[str, ...]:
    return f"[{table.name}](#{table.name})", table.group, table.grain


def _section(table: TableContract) -> Iterator[str]:
    yield f"## {table.name}\n"
    yield f"{table.grain}\n"
    where = f" (where `{table.unique_where.replace('k.', '')}`)" if table.unique_where else ""
    yield f"Unique: {_names(table.key)}{where}. In order of: {_names(table.order) or 'nothing'}.\n"
    if table.shared:
        yield "One table for all customers, at `<lake>/_platform`: for the operator alone.\n"
    yield from markdown_table(("column", "type", "meaning", "made from"), map(_column, table))


def _column(column: Column) -> tuple[str, ...]:
    flags = [("may be null", column.nullable), ("_personal_", column.personal)]
    told = ", ".join(flag for flag, is_set in flags if is_set)
    meaning = f"{column.meaning} ({told})" if told else column.meaning
    return f"`{column.name}`", f"`{column.type.simpleString()}`", meaning, _names(column.sources)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
