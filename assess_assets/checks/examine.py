"""Examine one table of one customer: all its checks on one set of pinned tables.

Only what fails is asked again, for a sample. Belongs here: opening and sampling; how rows are
counted is in `counting`, how a result is worded in `verdicts`, what is asked in the modules of
facts.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from assess_assets.checks import verdicts
from assess_assets.checks.asking import Frames, run_query
from assess_assets.checks.counting import count, large_tables
from assess_assets.checks.facts import Check, Fact, Rate, Schema
from assess_assets.checks.opening import Opened, open_table
from assess_assets.checks.overtaken import require_not_overtaken
from assess_assets.checks.unchanged import Notes, files_of, note_of, nothing_noted, unseen_of
from assess_assets.checks.verdicts import SAMPLE_ROWS, Verdict
from assess_assets.customers import CustomerPolicy
from assess_assets.storage.job_names import named_jobs
from assess_assets.storage.lake import Lake
from assess_assets.tables.registry import table_named


def examine(
    lake: Lake,
    customer: str,
    policy: CustomerPolicy,
    checks: Sequence[Check],
    run_id: str = "",
    noted: Notes = nothing_noted,
) -> list[Verdict]:
    """Every check's verdict; a rate gives two. Rows `noted` as sound are not looked at again.

    Raises LostRace if one that blocks fails since another run than `run_id` is writing.
    """
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
        with named_jobs(lake.spark, customer, f"check {checks[0].table}", run_id):
            found += _asked(lake, customer, policy, sound, opened, noted)
    if any(verdict.blocking and not verdict.passed for verdict in found):
        require_not_overtaken(opened[checks[0].table], opened.values(), run_id)
    return found


def _asked(
    lake: Lake,
    customer: str,
    policy: CustomerPolicy,
    checks: Sequence[Check],
    opened: Mapping[str, Opened],
    noted: Notes,
) -> list[Verdict]:
    frames = {
        name: lake.read(one.pin)
        for name, one in opened.items()
        if one.pin and any(name in check.tables for check in checks)
    }
    pins = {name: one.pin for name, one in opened.items() if one.pin}
    large = large_tables(pins)
    queries = [check for check in checks if not isinstance(check, Schema)]
    facts = [check for check in queries if isinstance(check, Fact)]
    costly = {fact.name: fact for fact in facts if large.keys() & set(fact.tables)}
    files = {name: files_of(pin) for name, pin in pins.items()} if costly else {}
    spared = unseen_of(costly.values(), noted, files)
    rows_of, failing = count(lake, queries, frames, large, spared)

    found: list[Verdict] = []
    for check in checks:
        rows = {name: rows_of[name] for name in check.tables}
        if isinstance(check, Schema):
            found.append(verdicts.holds(check, customer, rows))
        elif isinstance(check, Rate):
            found += _rate(lake, customer, policy, check, frames, rows, failing[check.name])
        elif failing[check.name]:
            sample = _sample(lake, check, frames)
            found.append(verdicts.broken(check, customer, rows, failing[check.name], sample))
        else:
            note = note_of(check, files) if check.name in costly else None
            found.append(verdicts.holds(check, customer, rows, note, spared.get(check.name)))
    return found


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
        reasons = {row.reason: row.n for row in run_query(lake, by_reason, frames).collect()}
        sample = _sample(lake, rate, frames)
    limit = rate.limit_of(policy)
    return verdicts.rated(rate, customer, rows_of, rows, limit, reasons, sample)


def _sample(lake: Lake, check: Fact | Rate, frames: Frames) -> list[dict[str, Any]]:
    failing = run_query(lake, check.query, frames)
    return [row.asDict() for row in failing.orderBy(*failing.columns).limit(SAMPLE_ROWS).collect()]


def _unexamined(check: Check, fault: str) -> list[Verdict]:
    if isinstance(check, Rate):
        return [
            verdicts.unexamined(check.name, False, fault),
            verdicts.unexamined(check.limited, True, fault),
        ]
    return [verdicts.unexamined(check.name, check.blocking, fault)]
