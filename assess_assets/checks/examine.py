"""Examine one table of one customer: all its checks on one set of pinned tables, in one query.

Only what fails is asked again, for a sample. Belongs here: opening, counting and sampling; how a
result is worded is in `verdicts`, what is asked in the modules of facts.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame

from assess_assets.checks import verdicts
from assess_assets.checks.facts import Check, Fact, Rate, Schema
from assess_assets.checks.opening import Opened, open_table
from assess_assets.checks.verdicts import SAMPLE_ROWS, Verdict
from assess_assets.customers import CustomerPolicy
from assess_assets.storage.lake import Lake
from assess_assets.tables.registry import table_named

Frames = Mapping[str, DataFrame]


def examine(
    lake: Lake, customer: str, policy: CustomerPolicy, checks: Sequence[Check]
) -> list[Verdict]:
    """Every check's verdict; a rate gives two."""
    names = dict.fromkeys(name for check in checks for name in check.tables)
    opened = {name: open_table(lake, table_named(name), customer) for name in names}
    found: list[Verdict] = []
    sound: list[Check] = []
    for check in checks:
        fault = next(filter(None, (opened[name].fault for name in check.tables)), None)
        if isinstance(check, Schema) and opened[check.table].differences:
            found.append(verdicts.other_columns(check, customer, opened[check.table].differences))
        elif fault:
            found += _unexamined(check, fault)
        else:
            sound.append(check)
    if sound:
        found += _asked(lake, customer, policy, sound, opened)
    return found


def _asked(
    lake: Lake,
    customer: str,
    policy: CustomerPolicy,
    checks: Sequence[Check],
    opened: Mapping[str, Opened],
) -> list[Verdict]:
    frames = {
        name: lake.read(one.pin)
        for name, one in opened.items()
        if one.pin and any(name in check.tables for check in checks)
    }
    asked = {check.name: check.query for check in checks if not isinstance(check, Schema)}
    all_rows = {name: f"select 1 from {{{name}}} t" for name in frames}
    counted = _count(lake, {**asked, **_prefixed(all_rows)}, frames)
    rows_of = {name: counted[f"{_ROWS}{name}"] for name in frames}

    found: list[Verdict] = []
    for check in checks:
        rows = {name: rows_of[name] for name in check.tables}
        if isinstance(check, Schema):
            found.append(verdicts.holds(check, customer, rows))
        elif isinstance(check, Rate):
            found += _rate(lake, customer, policy, check, frames, rows, counted[check.name])
        elif counted[check.name]:
            sample = _sample(lake, check, frames)
            found.append(verdicts.broken(check, customer, rows, counted[check.name], sample))
        else:
            found.append(verdicts.holds(check, customer, rows))
    return found


_ROWS = "rows of "  # no check is called that


def _prefixed(queries: Mapping[str, str]) -> dict[str, str]:
    return {f"{_ROWS}{name}": text for name, text in queries.items()}


def _rate(
    lake: Lake,
    customer: str,
    policy: CustomerPolicy,
    rate: Rate,
    frames: Frames,
    rows_of: Mapping[str, int],
    rows: int,
) -> Iterable[Verdict]:
    reasons: dict[str, int] = {}
    sample: list[dict[str, Any]] = []
    if rows:
        by_reason = (
            f"select r.{rate.reason} as reason, count(*) as n from ({rate.query}) r "
            f"group by r.{rate.reason} order by n desc, reason limit {SAMPLE_ROWS}"
        )
        reasons = {row.reason: row.n for row in _run(lake, by_reason, frames).collect()}
        sample = _sample(lake, rate, frames)
    limit = rate.limit_of(policy)
    return verdicts.rated(rate, customer, rows_of, rows, limit, reasons, sample)


def _count(lake: Lake, queries: Mapping[str, str], frames: Frames) -> dict[str, int]:
    """The number of rows of each query, in one question to the engine."""
    counts = (
        f"select '{name}' as name, count(*) as n from ({text}) x" for name, text in queries.items()
    )
    rows = _run(lake, " union all ".join(counts), frames).collect()
    return {row.name: row.n for row in rows}


def _sample(lake: Lake, check: Fact | Rate, frames: Frames) -> list[dict[str, Any]]:
    failing = _run(lake, check.query, frames)
    return [row.asDict() for row in failing.orderBy(*failing.columns).limit(SAMPLE_ROWS).collect()]


def _run(lake: Lake, text: str, frames: Frames) -> DataFrame:
    """Frames are named for this one query only, so customers in threads do not meet."""
    return lake.spark.sql(text, None, **frames)


def _unexamined(check: Check, fault: str) -> list[Verdict]:
    if isinstance(check, Rate):
        return [
            verdicts.unexamined(check.name, False, fault),
            verdicts.unexamined(check.limited, True, fault),
        ]
    return [verdicts.unexamined(check.name, check.blocking, fault)]
