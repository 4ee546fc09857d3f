"""What was claimed of each source, and what came of it: ranges, losses, messages and their fates.

Belongs here: everything that is told source by source, up to the batch that an aggregate was made
from. Does not: their sums, and whether these add up (`waterfall`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from assess_assets.sources.ranges import SourceRange, without
from assess_assets.storage.claims import Batch
from assess_assets.tables.fates import FATES

Row = dict[str, Any]
Ask = Callable[[str], list[Row]]


@dataclass
class SourceFigures:
    """One partition of one source; `readable` offsets were claimed to be read and not lost."""

    source: str
    partition: int
    is_file: bool = True
    ranges: list[Row] = field(default_factory=list)
    readable: int = 0
    lost: int = 0
    messages: int = 0
    fates: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FATES, 0))
    counted: int = 0


def source_figures(
    ask: Ask, batches: Sequence[Batch], batch: int, counted: Mapping[tuple[str, int], int]
) -> list[SourceFigures]:
    """Every source that something was claimed of, or that has messages, in order of arrival."""
    found: dict[tuple[str, int], SourceFigures] = {}

    def of(source: str, partition: int) -> SourceFigures:
        key = (source, partition)
        return found.setdefault(key, SourceFigures(source, partition))

    claims = [(one.number, claim) for one in batches for claim in one.ranges]
    lost = [claim for _, claim in claims if claim.kind == "lost"]
    for number, claim in claims:
        figures = of(claim.source, claim.partition)
        if number <= batch or claim.kind == "lost":
            _add(figures, number, claim, lost)
    upto = f"where t.batch <= {batch} group by t.source, t.partition"
    for row in ask(f"select t.source, t.partition, count(*) as n from raw_messages t {upto}"):
        of(row["source"], row["partition"]).messages = row["n"]
    fates = f"select t.source, t.partition, t.fate, count(*) as n from message_ledger t {upto}"
    for row in ask(f"{fates}, t.fate"):
        of(row["source"], row["partition"]).fates[row["fate"]] = row["n"]
    for (source, partition), messages in counted.items():
        of(source, partition).counted = messages
    return [figures for figures in found.values() if figures.ranges or figures.messages]


def _add(
    figures: SourceFigures, number: int, claim: SourceRange, lost: Sequence[SourceRange]
) -> None:
    figures.is_file = claim.is_of_a_file
    figures.ranges.append(
        {
            "batch": number,
            "kind": claim.kind,
            "start_offset": claim.start_offset,
            "end_offset": claim.end_offset,
            "note": claim.note,
        }
    )
    if claim.kind == "lost":
        figures.lost += claim.messages
    elif claim.kind == "read":
        figures.readable += sum(piece.messages for piece in without(claim, lost))
