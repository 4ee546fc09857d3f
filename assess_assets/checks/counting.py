"""How many rows break each fact: in as few questions to the engine as its memory allows.

Questions about small tables go together, as each costs more to ask than to answer. Those that read
a large one are asked one after another: together, all their hash tables would lie in memory at
once. Does not belong here: what a count means (`examine`, `verdicts`).
"""

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from pyspark.sql import DataFrame

from assess_assets.checks.facts import Fact, Rate
from assess_assets.storage.delta import Pin, committed
from assess_assets.storage.lake import Lake

Frames = Mapping[str, DataFrame]

LARGE_ROWS = 100_000


def is_large(pin: Pin) -> bool:
    """Whether the table has so many rows that memory counts; the Delta log knows."""
    return committed(pin).rows >= LARGE_ROWS


class Counted(NamedTuple):
    """Rows of each table, by its name, and rows that each check's query selects, by the check's."""

    rows: dict[str, int]
    failing: dict[str, int]


def count(lake: Lake, checks: Sequence[Fact | Rate], frames: Frames, large: Set[str]) -> Counted:
    """Rows of all `frames`, and the failing ones of every check.

    A fact about a large table is suspected first, if it says how. Not about a small one: Sail 0.7.2
    panics at xxhash64 of nothing but constants, such as the key in a file where all rows have one.
    """
    suspicions = {
        check.name: check.suspicion
        for check in checks
        if isinstance(check, Fact) and check.suspicion and check.table in large
    }
    asked = {check.name: suspicions.get(check.name, check.query) for check in checks}
    alone = [check.name for check in checks if large & set(check.tables)]
    together = {name: text for name, text in asked.items() if name not in alone}
    whole = {f"{_ROWS}{name}": f"select 1 from {{{name}}} t" for name in frames}
    failing = _count_rows(lake, {**together, **whole}, frames)
    rows = {name: failing.pop(f"{_ROWS}{name}") for name in frames}
    for name in alone:
        failing |= _count_rows(lake, {name: asked[name]}, frames)
    for check in checks:
        if check.name in suspicions and failing[check.name]:
            failing |= _count_rows(lake, {check.name: check.query}, frames)
    return Counted(rows, failing)


_ROWS = "rows of "  # no check is called that


def _count_rows(lake: Lake, queries: Mapping[str, str], frames: Frames) -> dict[str, int]:
    """The number of rows of each query, in one question to the engine."""
    counts = (
        f"select '{name}' as name, count(*) as n from ({text}) x" for name, text in queries.items()
    )
    rows = run_query(lake, " union all ".join(counts), frames).collect()
    return {row.name: row.n for row in rows}


def run_query(lake: Lake, text: str, frames: Frames) -> DataFrame:
    """Frames are named for this one query only, so customers in threads do not meet."""
    return lake.spark.sql(text, None, **frames)
