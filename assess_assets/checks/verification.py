"""What only messages' bytes can prove: all of them judged and parsed anew, and nothing written.

A check compares tables with each other, so what has changed in all of them alike, or is in one
alone, passes. Belongs here: the tables that are made of bytes, and the report, beside what is made
now. All others are compared with those by the checks, whenever they run.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, BinaryType

from assess_assets.assets.assessments import WRITTEN, parse_span_of
from assess_assets.assets.builds import running_versions
from assess_assets.assets.customer_report import make_report
from assess_assets.assets.snapshots import read_frames, read_watermark
from assess_assets.checks.asking import run_query
from assess_assets.checks.examine import examine
from assess_assets.checks.facts import Fact, coordinates_of, named
from assess_assets.checks.opening import open_table
from assess_assets.checks.registry import CHECKED_TABLES, checks_of
from assess_assets.checks.verdicts import Verdict
from assess_assets.commands import update_command
from assess_assets.customers import CustomerPolicy
from assess_assets.storage.delta import Pin
from assess_assets.storage.io_manager import Tables
from assess_assets.storage.lake import Lake
from assess_assets.storage.lake_faults import LakeRefused
from assess_assets.storage.protocol import Progress, Span, UpstreamNotReady
from assess_assets.tables.contract import Column, TableContract
from assess_assets.tables.detail import OPTIONS, QUESTIONS
from assess_assets.tables.fates import MESSAGE_LEDGER
from assess_assets.tables.ingest import RAW_MESSAGES
from assess_assets.tables.registry import CUSTOMER_TABLES, MADE_BY_BUILD, table_named
from assess_assets.tables.reports import CUSTOMER_REPORT, FORMATS
from assess_assets.transforms.answers.figures import TABLES_READ

_MESSAGE = ("source", "partition", "offset")


class Compared(NamedTuple):
    """A table beside what its messages give now: each differing row by its message, and how."""

    table: TableContract
    rows: int
    differing: list[dict[str, Any]]


def not_readable(lake: Lake, customer: str) -> dict[str, str]:
    """Tables shared by all customers that this user may not read, and why."""
    found = {}
    for table in (each for each in CHECKED_TABLES if each.shared):
        try:
            lake.pin_existing(table, customer)
        except LakeRefused as refused:
            found[table.name] = str(refused)
    return found


def examine_all(
    lake: Lake, customer: str, policy: CustomerPolicy, but: Collection[str] = ()
) -> Iterator[Verdict]:
    """The verdicts of every check of every table. `lake` is at one moment (`make_anew` too)."""
    for table in CHECKED_TABLES:
        if table.name in but:
            continue
        checks = (
            check.about(customer) if isinstance(check, Fact) else check
            for check in checks_of(table)
        )
        yield from examine(lake, customer, policy, list(checks))


def make_anew(lake: Lake, customer: str, policy: CustomerPolicy) -> Iterator[Compared]:
    """The tables that the parse step writes, and the report, beside what would be written now.

    Up to the ledger's last batch: what lies beyond is not parsed yet. A report that is behind it is
    not compared. Raises UpstreamNotReady, and what `Lake.current_build` raises: by another
    contract, policy or code rows may differ.
    """
    for table in CUSTOMER_TABLES:
        opened = open_table(lake, table, customer)
        if opened.fault:
            newer = f" A column that newer code has comes with a run: {update_command(customer)}"
            raise UpstreamNotReady(opened.fault + (newer if opened.pin else ""))
    pins = {table.name: lake.pin(table, customer) for table in CUSTOMER_TABLES}
    _require_no_run(lake, customer, policy, pins)
    upto = read_watermark(lake, customer, policy)
    span = Span(upto.build, after=0, upto=upto.batch, rebuild=True)
    raw, ledger = (lake.read(pins[table.name]) for table in (RAW_MESSAGES, MESSAGE_LEDGER))
    made = parse_span_of(span, raw, ledger, policy)
    for table in WRITTEN:
        stored = lake.read(pins[table.name]).where(f"batch <= {span.upto}")
        yield _compare(lake, table, stored, made[table.name], _MESSAGE)

    report = pins[CUSTOMER_REPORT.name]
    if lake.progress(report) == Progress(len(FORMATS), upto.build, upto.build, upto.batch):
        read = {name: Tables(lake, table_named(name)) for name in TABLES_READ}
        anew = make_report(read_frames(lake, upto, read)).withColumns(
            {"build": F.lit(upto.build), "batch": F.lit(upto.batch)}
        )
        yield _compare(lake, CUSTOMER_REPORT, lake.read(report), anew, CUSTOMER_REPORT.key)


def _require_no_run(
    lake: Lake, customer: str, policy: CustomerPolicy, pins: Mapping[str, Pin]
) -> None:
    """Raises UpstreamNotReady if tables are not as far as the ledger: they need not agree yet."""
    build = lake.current_build(customer, running_versions(policy)).number
    for told in _unfinished(lake, build, pins):
        raise UpstreamNotReady(
            f"Customer {customer}: {told}, or was stopped. Nothing was verified, as tables agree "
            "only when it is done. Wait for it and verify again; if it was stopped, this finishes "
            f"it: {update_command(customer)}"
        )


def _unfinished(lake: Lake, build: int, pins: Mapping[str, Pin]) -> Iterator[str]:
    """The tables that a run has not come to yet, in its order."""
    for table in MADE_BY_BUILD:
        found = lake.progress(pins[table.name])
        if 0 < found.lowest_build < build:
            yield (
                f"table {table.name} holds builds {found.lowest_build} to {found.highest_build}, "
                f"and the customer's build is {build}: a rebuild is under way"
            )
    for table, parts in ((QUESTIONS, "question"), (OPTIONS, "option")):
        (expected,) = pins[MESSAGE_LEDGER.name].look_up(
            "select coalesce(max(batch), 0) as batch from pinned "
            f"where fate = 'accepted' and {parts}_count > 0"
        )
        found = lake.progress(pins[table.name])
        if found.rows and found.highest_batch < expected["batch"]:
            yield (
                f"table {table.name} ends at batch {found.highest_batch}, and the ledger has its "
                f"attempts up to batch {expected['batch']}: a run is under way"
            )


def _compare(
    lake: Lake, table: TableContract, stored: DataFrame, anew: DataFrame, key: Sequence[str]
) -> Compared:
    found = run_query(lake, _differences(table, key), {"stored": stored, "anew": anew})
    rows = found.orderBy(*found.columns).collect()
    return Compared(table, stored.count(), [row.asDict() for row in rows])


def _differences(table: TableContract, key: Sequence[str]) -> str:
    """A row for each that is another anew, or is not there, or was not stored."""
    values = [column for column in table if column.name not in key]
    differs = named((c.name, f"s.{c.name} is distinct from a.{c.name}") for c in values)
    where = [name for name in coordinates_of(table) if name in {*key, "batch"}]
    found = ", ".join(f"coalesce(s.{name}, a.{name}) as {name}" for name in where)
    same = " and ".join(f"s.{name} = a.{name}" for name in key)
    narrow = ", ".join([*(f"t.{name}" for name in key), *map(_narrow, values)])
    return f"""
        select {", ".join(f"f.{name}" for name in where)}, f.differs
        from (select {found},
                     case when s.{key[0]} is null then 'is missing'
                          when a.{key[0]} is null then 'is not to be there'
                          else {differs} end as differs
              from (select {narrow} from {{stored}} t) s
              full outer join (select {narrow} from {{anew}} t) a on {same}) f
        where f.differs <> ''"""


def _narrow(column: Column) -> str:
    """What is large waits for its partner as a digest. (As text, an array tells its nulls.)"""
    value = f"t.{column.name}"
    if isinstance(column.type, ArrayType):
        value = f"md5(cast({value} as string))"
    elif isinstance(column.type, BinaryType):
        value = f"md5({value})"
    return f"{value} as {column.name}"
