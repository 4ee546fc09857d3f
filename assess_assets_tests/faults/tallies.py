"""What faults did, by kind: counted, added up, and shown as a table.

Belongs here: numbers. Does not: faults, and telling whether anything was lost.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

COLUMNS = {
    "kind": "fault",
    "number": "number",
    "hit": "ended a run",
    "by_dagster": "by Dagster",
    "crashed": "crashed itself",
    "lost": "lost",
    "repeated": "repeated",
    "hand_repairs": "hand repairs",
    "torn_reads": "torn reads",
    "versions_read": "versions read",
    "seconds_to_first_commit": "s to first commit",
}


@dataclass
class Tally:
    """What a kind of fault did. Zeros are what is wanted in the four after `number`."""

    kind: str
    number: int = 0
    lost: int = 0
    repeated: int = 0
    hand_repairs: int = 0
    torn_reads: int = 0
    hit: int = 0  # faults that ended the run: a kill at random may come too late
    crashed: int = 0  # runs that ended by a signal of their own making: as good as a kill
    by_dagster: int = 0
    versions_read: int = 0
    first_commits: list[float] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @property
    def seconds_to_first_commit(self) -> float | None:
        """Median, of reruns that had something to commit, from the start of their process."""
        return round(median(self.first_commits), 2) if self.first_commits else None

    def as_json(self) -> dict[str, Any]:
        row = asdict(self) | {"seconds_to_first_commit": self.seconds_to_first_commit}
        row["slowest_first_commit"] = max(self.first_commits, default=None)
        del row["first_commits"]
        return row


def total(tallies: list[Tally]) -> Tally:
    """Of all kinds."""
    added = Tally("all")
    for tally in tallies:
        for name in ("number", "hit", "crashed", "by_dagster", "lost", "repeated", "hand_repairs"):
            setattr(added, name, getattr(added, name) + getattr(tally, name))
        added.torn_reads += tally.torn_reads
        added.versions_read += tally.versions_read
        added.first_commits += tally.first_commits
    return added


def table(rows: list[dict[str, Any]], columns: Mapping[str, str] = COLUMNS) -> str:
    cells = [list(columns.values())]
    cells += [["" if row[name] is None else str(row[name]) for name in columns] for row in rows]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    )
