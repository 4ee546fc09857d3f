"""How many rows break each fact: in as few questions to the engine as its memory allows.

Questions about small tables go together, as each costs more to ask than to answer. Those that read
a large one are asked one after another: together, all their hash tables would lie in memory at
once. And those whose hash tables grow with it are asked slice by slice. Does not belong here: what
a count means (`examine`, `verdicts`).
"""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from operator import attrgetter
from typing import NamedTuple

from assess_assets.checks.asking import Frames, run_query
from assess_assets.checks.facts import Fact, Rate
from assess_assets.checks.suspicions import SUSPICIONS, Suspicion
from assess_assets.checks.unchanged import Unseen
from assess_assets.storage.delta import Pin, committed
from assess_assets.storage.lake import Lake

LARGE_ROWS = 100_000
SLICE_ROWS = 2_500_000  # of options: about 250 MB of hash tables


def large_tables(pins: Mapping[str, Pin]) -> dict[str, int]:
    """Rows of those tables that have so many that memory counts; the Delta log knows."""
    rows = {name: committed(pin).rows for name, pin in pins.items()}
    return {name: number for name, number in rows.items() if number >= LARGE_ROWS}


class Counted(NamedTuple):
    """Rows of each table, by its name, and rows that each check's query selects, by the check's."""

    rows: dict[str, int]
    failing: dict[str, int]


def count(
    lake: Lake,
    checks: Sequence[Fact | Rate],
    frames: Frames,
    large: Mapping[str, int],
    unseen: Mapping[str, Unseen],
) -> Counted:
    """Rows of all `frames`, and the failing ones of every check. `large`: rows by table's name.

    `unseen`, by fact, is what is left to be seen of what it, or its suspicion, reads.

    A fact about a large table is suspected first, if it says how. Not about a small one: Sail 0.7.2
    panics at xxhash64 of nothing but constants, such as the key in a file where all rows have one.
    """
    suspicions = {
        check.name: check.suspicion
        for check in checks
        if isinstance(check, Fact) and check.suspicion and check.table in large
    }
    asked = {check.name: suspicions.get(check.name, check.query) for check in checks}
    alone = [check for check in checks if large.keys() & set(check.tables)]
    together = {c.name: asked[c.name] for c in checks if c not in alone}
    whole = {f"{_ROWS}{name}": f"select 1 from {{{name}}} t" for name in frames}
    failing = _count_rows(lake, {**together, **whole}, frames)
    rows = {name: failing.pop(f"{_ROWS}{name}") for name in frames}
    failing |= {name: 0 for name, rest in unseen.items() if rest.is_nothing}
    names = {check.name for check in alone} - failing.keys()
    failing |= dict.fromkeys(_cleared(lake, names, frames, large, unseen), 0)
    for check in alone:
        if check.name not in failing:
            failing[check.name] = _count_alone(lake, check, asked[check.name], frames, large)
            if check.name in suspicions and failing[check.name]:
                failing[check.name] = _count_alone(lake, check, check.query, frames, large)
    return Counted(rows, failing)


def _cleared(
    lake: Lake,
    names: set[str],
    frames: Frames,
    large: Mapping[str, int],
    unseen: Mapping[str, Unseen],
) -> Iterator[str]:
    """Those of the named facts that one question about them all finds to hold."""
    for suspicion in SUSPICIONS:
        among = suspicion.facts & names
        can_be_asked = suspicion.table in large and frames.keys() >= set(suspicion.tables)
        if len(among) < min(2, len(suspicion.facts)) or not can_be_asked:
            continue
        looked_at, rows = frames, large
        if among <= unseen.keys():
            rest = min((unseen[name] for name in among), key=attrgetter("after"))
            looked_at, rows = rest.of(frames), rest.rows
        if not _count_alone(lake, suspicion, suspicion.query, looked_at, rows):
            yield from among


def _count_alone(
    lake: Lake,
    asking: Fact | Rate | Suspicion,
    text: str,
    frames: Frames,
    large: Mapping[str, int],
) -> int:
    """The text's rows, over all slices."""
    return sum(
        _count_rows(lake, {asking.table: text}, sliced)[asking.table]
        for sliced in _slices(asking, frames, large)
    )


def _slices(
    asking: Fact | Rate | Suspicion, frames: Frames, large: Mapping[str, int]
) -> Iterator[Frames]:
    """As many as the largest table that it reads has rows for."""
    rows = max(large.get(name, 0) for name in asking.tables)
    kept = asking.kept if isinstance(asking, Suspicion) else 1.0
    number = ceil(rows * kept / SLICE_ROWS)
    if isinstance(asking, Rate) or asking.slices is None or number < 2:
        yield frames
        return
    of_each = f"pmod(xxhash64({asking.slices}), {number})"
    for one in range(number):
        yield {name: frames[name].where(f"{of_each} = {one}") for name in asking.tables}


_ROWS = "rows of "  # no check is called that


def _count_rows(lake: Lake, queries: Mapping[str, str], frames: Frames) -> dict[str, int]:
    """The number of rows of each query, in one question to the engine."""
    counts = (
        f"select '{name}' as name, count(*) as n from ({text}) x" for name, text in queries.items()
    )
    rows = run_query(lake, " union all ".join(counts), frames).collect()
    return {row.name: row.n for row in rows}
