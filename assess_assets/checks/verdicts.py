"""What a check says: passed or not, in a sentence, with a sample and the query that lists all.

Belongs here: the wording and the metadata of results. Finding out is `examine`'s business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from assess_assets.checks.facts import Check, Fact, Rate, Schema
from assess_assets.checks.opening import Difference
from assess_assets.checks.unchanged import Note, Unseen, as_metadata
from assess_assets.tables.ingest import RAW_MESSAGES, SOURCE_RANGES
from assess_assets.tables.registry import table_named

SAMPLE_ROWS = 10
FROM_SOURCES = (SOURCE_RANGES.name, RAW_MESSAGES.name)
_LONGEST_CELL = 80
_Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Verdict:
    """One check's result for one customer. What does not block warns."""

    name: str
    passed: bool
    blocking: bool
    description: str
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def severity(self) -> dg.AssetCheckSeverity:
        return dg.AssetCheckSeverity.ERROR if self.blocking else dg.AssetCheckSeverity.WARN


def holds(
    check: Fact | Schema,
    customer: str,
    counts: Mapping[str, int],
    note: Note | None = None,
    unseen: Unseen | None = None,
) -> Verdict:
    """`counts` are the rows of the tables that were compared, now or, but for `unseen`, before."""
    told = ", ".join(f"{rows} of {table}" for table, rows in counts.items())
    description = f"{check.meaning} Rows compared for customer {customer}: {told}."
    if unseen:
        those = f"Those up to batch {unseen.after}" if unseen.rows else "They"
        description += (
            f" {those} were compared by an earlier run; they are in the same files still."
        )
    found = {**_rows_of(counts), **as_metadata(note)}
    return Verdict(check.name, True, check.blocking, description, found)


def broken(
    fact: Fact, customer: str, counts: Mapping[str, int], rows: int, sample: _Rows
) -> Verdict:
    description = (
        f"Customer {customer}, table {fact.table}: {_number(rows)} found that should not be. "
        f"What must hold: {fact.meaning} The query lists them all. {_next(fact, customer)}"
    )
    found = {"failing_rows": rows, **_shown(fact, customer, sample), **_rows_of(counts)}
    return Verdict(fact.name, False, fact.blocking, description, found)


def _next(fact: Fact, customer: str) -> str:
    """What heals rows that a crash of a disk, or somebody's hand, has changed."""
    if fact.table in FROM_SOURCES:
        return (
            "A rebuild starts from this table and heals nothing of it. Was it changed by hand "
            "(assess history)? Restore the version before, or its folder from a backup."
        )
    return (
        "Were rows changed or lost? Everything is made again from raw_messages by: assess rebuild "
        f"--customer {customer} --reason 'a check failed'"
    )


def unexamined(name: str, blocking: bool, fault: str) -> Verdict:
    """The check could not be made; `fault` says why and what to do."""
    return Verdict(name, False, blocking, f"Not examined. {fault}")


def other_columns(check: Schema, customer: str, found: Sequence[Difference]) -> Verdict:
    told = "; ".join(f"{one.column}: {one.found} instead of {one.expected}" for one in found)
    description = (
        f"Customer {customer}, table {check.table} differs from its contract in "
        f"{_number(len(found), 'column')} ({told}). What must hold: {check.meaning}"
    )
    shown = _shown(check, customer, [one._asdict() for one in found])
    return Verdict(check.name, False, check.blocking, description, shown)


def rated(
    rate: Rate,
    customer: str,
    counts: Mapping[str, int],
    rows: int,
    limit: float,
    reasons: Mapping[str, int],
    sample: _Rows,
) -> tuple[Verdict, Verdict]:
    """The verdict that warns of any such row, and the one that blocks above the limit."""
    of = counts[rate.of]
    share = rows / of if of else 0.0
    told = f"Customer {customer}, {rate.meaning}: {share:.1%} ({rows} of {of}"
    told += f": {', '.join(f'{why} {n}' for why, n in reasons.items())})." if reasons else ")."
    found: dict[str, Any] = {"share": share, "limit": limit, "rows": rows, "of": of}
    if rows:
        table = _markdown([{rate.reason: why, "rows": n} for why, n in reasons.items()])
        found |= {"reasons": dg.MetadataValue.md(table), **_shown(rate, customer, sample)}
    limited = f"{told} The policy's limit ({rate.limit}) is {limit:.1%}."
    if share > limit:
        limited += (
            " What follows is stopped. Have the source mended and run everything for the customer "
            "(from failure, a run reads nothing new); or raise the limit in the policy "
            "(ASSESS_POLICIES), and re-execute from failure."
        )
    return (
        Verdict(rate.name, not rows, False, told, found),
        Verdict(rate.limited, share <= limit, True, limited, found),
    )


def _shown(check: Check, customer: str, sample: _Rows) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "sample": dg.MetadataValue.md(_markdown(sample)),
        "query": dg.MetadataValue.md(f"```sql\n{check.sql}\n```"),
    }
    if not table_named(check.table).shared:  # the operator's tables are in no customer's session
        one_line = " ".join(check.sql.split())
        shown["command"] = dg.MetadataValue.text(f'assess sql --customer {customer} "{one_line}"')
    return shown


def _rows_of(counts: Mapping[str, int]) -> dict[str, int]:
    return {f"rows_of_{table}": rows for table, rows in counts.items()}


def _number(rows: int, what: str = "row") -> str:
    return f"1 {what}" if rows == 1 else f"{rows} {what}s"


def _markdown(rows: _Rows) -> str:
    if not rows:
        return ""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(value: object) -> str:
    """Names come from data: nothing in them may end a cell, a line, or begin markup."""
    text = "".join(character if character.isprintable() else " " for character in str(value))
    if len(text) > _LONGEST_CELL:
        text = text[: _LONGEST_CELL - 1] + "…"
    for special in "\\|`<>[]*":
        text = text.replace(special, f"\\{special}")
    return text
