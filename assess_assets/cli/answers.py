"""`assess answers` and `assess report`: a customer's questions answered, here or in files.

Belongs here: the commands. What is counted and how it looks is the answers' and reports' business.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assess_assets.cli.deployment import deployment, has_no_message, no_message_yet, pin_existing
from assess_assets.cli.errors import CommandFailed
from assess_assets.cli.options import AsJson, Customer, CustomerName, Limit, chosen_customer
from assess_assets.cli.output import PIPED_WIDTH, print_json, say_cut
from assess_assets.commands import first_update_command, update_command

if TYPE_CHECKING:
    from assess_assets.settings import Settings
    from assess_assets.storage.layout import LakeLayout
    from assess_assets.transforms.answers.answer import Answers

SUFFIXES = {"markdown": "md", "html": "html"}


def answers(
    customer: Customer = None,
    customer_name: CustomerName = None,
    exam: Annotated[
        str | None,
        typer.Option(
            "--exam",
            metavar="NAME",
            help="The exam of the section on one exam (default: the most popular).",
        ),
    ] = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Answer what is asked about a customer's attempts.

    Every number is counted by message and by attempt.
    """
    key = chosen_customer(customer, customer_name)
    settings, layout = deployment()
    found = _answers(settings, layout, key, exam)
    if as_json:
        print_json(found.as_json(limit))
        tables = [answer for section in found.sections for answer in section.tables]
        if limit and any(len(answer.rows) > limit for answer in tables):
            say_cut(limit, of=" of longer tables")
        return
    from rich.console import Console

    from assess_assets.reports.terminal import FEW_ROWS, AnswersOnTerminal

    width = None if sys.stdout.isatty() else PIPED_WIDTH
    console = Console(width=width, highlight=False, markup=False, emoji=False)
    console.print(AnswersOnTerminal(found, limit or FEW_ROWS))


def report(
    customer: Customer = None,
    customer_name: CustomerName = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="Where the files are written.")
    ] = Path(),
) -> None:
    """Write a customer's report to files.

    It is the one that was last materialized. The files are customer_report_KEY.md and .html, KEY
    being the customer's.
    """
    from assess_assets.tables.reports import CUSTOMER_REPORT, FORMATS

    key = chosen_customer(customer, customer_name)
    _, layout = deployment()
    pinned = pin_existing(layout, CUSTOMER_REPORT, key)
    rows = pinned.look_up("select * from pinned order by format desc") if pinned else []
    if not rows:
        if pinned and has_no_message(layout, key):
            raise CommandFailed(no_message_yet(key))
        has = "is empty: its last run made no report" if pinned else "does not exist"
        then = update_command(key) if pinned else first_update_command(key)
        raise CommandFailed(
            f"Customer {key}: table customer_report ({layout.uri(CUSTOMER_REPORT, key)}) {has}. "
            f"Next: {then}"
        )
    if lacking := set(FORMATS) - {row["format"] for row in rows}:
        raise CommandFailed(
            f"Customer {key}: table customer_report ({layout.uri(CUSTOMER_REPORT, key)}) lacks the "
            f"report as {' and as '.join(sorted(lacking))}. Nothing was written. "
            f"Next: {update_command(key, 'customer_report')}"
        )
    out.mkdir(parents=True, exist_ok=True)
    for row in rows:
        path = out / f"customer_report_{key}.{SUFFIXES[row['format']]}"
        path.write_text(row["content"], encoding="utf-8", newline="\n")
        typer.echo(f"{path}: build {row['build']}, up to batch {row['batch']}")


def _answers(
    settings: "Settings", layout: "LakeLayout", customer: str, exam: str | None
) -> "Answers":
    """Looks first, so that asking about a customer never makes its tables."""
    from assess_assets.assets.snapshots import read_frames, read_watermark
    from assess_assets.resources.lake import LakeResource
    from assess_assets.resources.spark import SparkEngine
    from assess_assets.storage.damage import damage_told
    from assess_assets.storage.io_manager import Tables
    from assess_assets.tables.registry import table_named
    from assess_assets.transforms.answers.answering import answer_customer
    from assess_assets.transforms.answers.exam_figures import UnknownExam
    from assess_assets.transforms.answers.figures import TABLES_READ

    tables = [table_named(name) for name in TABLES_READ]
    _require_tables(layout, customer)
    resource = LakeResource.from_settings(settings, SparkEngine(url=settings.spark))
    lake = resource.lake.for_looking()
    upto = read_watermark(lake, customer, policy=None)
    frames = read_frames(lake, upto, {table.name: Tables(lake, table) for table in tables})
    try:
        with damage_told(customer, layout.root):
            return answer_customer(customer, upto.build, upto.batch, frames, exam)
    except UnknownExam as error:
        raise CommandFailed(str(error)) from None


def _require_tables(layout: "LakeLayout", customer: str) -> None:
    from assess_assets.tables.registry import table_named
    from assess_assets.transforms.answers.figures import TABLES_READ

    tables = [table_named(name) for name in ("builds", *TABLES_READ)]
    missing = [table.name for table in tables if pin_existing(layout, table, customer) is None]
    if not missing:
        return
    if len(missing) == len(tables):
        raise CommandFailed(
            f"Customer {customer} has no tables in {layout.root}. `assess customers` lists who "
            f"has. Next: {first_update_command(customer)}"
        )
    raise CommandFailed(
        f"Customer {customer}: {', '.join(missing)} have not been made in {layout.root}. "
        f"Next: {update_command(customer)}"
    )
