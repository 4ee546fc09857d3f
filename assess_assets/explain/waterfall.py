"""From offsets claimed to attempts counted, step by step, and whether the steps add up.

Belongs here: the sums, and the facts about them. A number here is counted in the table that it is
about, never derived from the others: so they can disagree.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from assess_assets.explain.aggregates import Aggregate
from assess_assets.explain.sources import Ask, Row, SourceFigures
from assess_assets.tables.fates import FATES


@dataclass(frozen=True)
class Step:
    """A number of the waterfall: what is left (`=`), what falls away (`-`), what is added (`+`)."""

    sign: str
    label: str
    count: int


@dataclass(frozen=True)
class Balance:
    """Two numbers that must agree, counted in different places."""

    meaning: str
    left: int
    right: int
    may_be_less: bool = False

    @property
    def holds(self) -> bool:
        return self.left <= self.right if self.may_be_less else self.left == self.right


def waterfall(
    ask: Ask,
    aggregate: Aggregate,
    where: str | None,
    sources: Sequence[SourceFigures],
    selected: Sequence[Row],
    batch: int,
) -> tuple[list[Step], list[Balance]]:
    """The steps for the selected rows, up to the batch that they were made from."""

    def number(sql: str) -> int:
        return int(ask(sql)[0]["n"])

    def rows(table: str) -> int:
        return number(f"select count(*) as n from {table} t where t.batch <= {batch}")

    def among(sql: str) -> int:
        return number(f"{aggregate.counted(where)}\n{sql}")

    readable, lost = sum(one.readable for one in sources), sum(one.lost for one in sources)
    messages = sum(one.messages for one in sources)
    fates = {fate: sum(one.fates[fate] for one in sources) for fate in FATES}
    attempts, others = among("select count(*) as n from counted"), among(_OTHERS)
    copies = {of: among(_COPIES.format(which=which)) for of, which in _COPIED.items()}
    steps = [
        Step("=", "offsets claimed", readable + lost),
        Step("-", "lost, and accepted as lost", lost),
        Step("-", "offsets that hold no message", readable - messages),
        Step("=", "messages read", messages),
        Step("-", "quarantined: they break the message contract", fates["quarantined"]),
        Step("-", "conflict: other content for a known attempt", fates["conflict"]),
        Step("-", "duplicate: content seen before", fates["duplicate"]),
        Step("=", "accepted: attempts", rows("assessments")),
        Step("-", "attempts that these rows don't count", others),
        Step("=", "attempts counted", attempts),
    ]
    balances = [
        *_of_sources(sources),
        Balance("messages read = messages with a fate", messages, sum(fates.values())),
        Balance("accepted = rows of assessments", fates["accepted"], rows("assessments")),
        Balance(
            "quarantined = rows of quarantined_messages",
            fates["quarantined"],
            rows("quarantined_messages"),
        ),
        Balance(
            "conflicts = rows of conflicting_assessments",
            fates["conflict"],
            rows("conflicting_assessments"),
        ),
        Balance("accepted = attempts counted and others", fates["accepted"], attempts + others),
        Balance(
            "duplicates = copies of attempts counted, of others, and of conflicts",
            fates["duplicate"],
            sum(copies.values()),
        ),
    ]
    told = [("attempts", attempts)] if "attempts" in aggregate.table.column_names else []
    if aggregate.counts_messages:
        steps += [
            Step("+", "identical copies of them, duplicates above", copies["counted"]),
            Step("=", "messages counted", attempts + copies["counted"]),
        ]
        told.append(("messages", attempts + copies["counted"]))
    for detail in aggregate.details:
        count = among(detail.sql)
        steps.append(Step("=", detail.label, count))
        if detail.column:
            told.append((detail.column, count))
    balances += [
        Balance(
            f"sum of {column} in these rows = counted",
            int(sum(row[column] for row in selected)),
            count,
        )
        for column, count in told
    ]
    return steps, balances


def _of_sources(sources: Sequence[SourceFigures]) -> list[Balance]:
    """A file has a message at every offset, a topic at most one."""
    return [
        Balance(
            f"messages of {one.source} partition {one.partition} "
            f"{'=' if one.is_file else '<='} offsets claimed to be read",
            one.messages,
            one.readable,
            may_be_less=not one.is_file,
        )
        for one in sources
    ]


_OTHERS = """
select count(*) as n from assessments a cross join made
where a.batch <= made.batch
  and not exists (select 1 from counted c where c.source = a.source
                  and c.partition = a.partition and c.offset = a.offset)"""

_COPIES = """
select count(*) as n from message_ledger l cross join made
where l.fate = 'duplicate' and l.batch <= made.batch and {which}"""
_REFERRED = (
    "t.source = l.refers_to_source and t.partition = l.refers_to_partition "
    "and t.offset = l.refers_to_offset"
)
_COUNTED = f"exists (select 1 from counted t where {_REFERRED})"
_COPIED = {
    "counted": _COUNTED,
    "others": f"exists (select 1 from assessments t where {_REFERRED}) and not {_COUNTED}",
    "conflicts": f"exists (select 1 from conflicting_assessments t where {_REFERRED})",
}
