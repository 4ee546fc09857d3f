"""`assess verify`: messages judged and parsed anew, beside the stored rows; nothing is written.

Belongs here: the command, and what to do about what differs. Comparing is `checks.verification`'s.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from assess_assets.cli.deployment import deployment
from assess_assets.cli.errors import CommandFailed
from assess_assets.cli.options import AsJson, Customer, CustomerName, Limit, chosen_customer
from assess_assets.cli.output import print_json, print_rows, say_cut
from assess_assets.cli.show import DEFAULT_ROWS, existing_tables

if TYPE_CHECKING:
    from assess_assets.checks.verdicts import Verdict
    from assess_assets.checks.verification import Compared
    from assess_assets.storage.layout import LakeLayout


def verify(
    customer: Customer = None,
    customer_name: CustomerName = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Prove a customer's tables from the messages' bytes.

    Asks every check, and judges and parses all of raw_messages anew, which takes as long as a
    rebuild; nothing is written. All tables are taken as they are when it begins. Exit code 1 if a
    check that blocks fails, a stored row differs, or a run or rebuild is not done. Who may read the
    customer's folder alone is told that customer_overview was not verified.
    """
    from assess_assets.checks.verification import examine_all, make_anew, not_readable
    from assess_assets.resources.lake import LakeResource
    from assess_assets.resources.spark import SparkEngine

    key = chosen_customer(customer, customer_name)
    settings, layout = deployment()
    existing_tables(layout, key)
    resource = LakeResource.from_settings(settings, SparkEngine(url=settings.spark))
    policy = resource.policies.of(key)
    lake = resource.lake.at_one_moment(key)
    compared = list(make_anew(lake, key, policy))
    left_out = not_readable(lake, key)
    blocking = [one for one in examine_all(lake, key, policy, left_out) if one.blocking]
    failed = [one for one in blocking if not one.passed]
    if as_json:
        told = _as_json(key, compared, len(blocking), failed, limit)
        print_json({**told, "not_verified": left_out})
    else:
        _print(compared, len(blocking), failed, limit or DEFAULT_ROWS)
    for table, reason in left_out.items():
        typer.echo(f"Not verified, as this user may not read it: {table}. {reason}", err=True)
    _refuse_what_differs(layout, key, compared, failed)


def _as_json(
    key: str,
    compared: "Sequence[Compared]",
    checks: int,
    failed: "Sequence[Verdict]",
    limit: int | None,
) -> dict[str, Any]:
    return {
        "customer": key,
        "tables": [
            {
                "table": one.table.name,
                "rows": one.rows,
                "differing": len(one.differing),
                "differing_rows": one.differing[:limit],
            }
            for one in compared
        ],
        "checks": checks,
        "failed_checks": [
            {"check": one.name, "description": one.description, "command": _command(one)}
            for one in failed
        ],
    }


def _print(
    compared: "Sequence[Compared]", checks: int, failed: "Sequence[Verdict]", limit: int
) -> None:
    print_rows(
        ["table", "rows stored", "differing when made anew"],
        [(one.table.name, one.rows, len(one.differing)) for one in compared],
    )
    for one in compared:
        if one.differing:
            typer.echo(f"\n{one.table.name}: rows that differ")
            print_rows(list(one.differing[0]), [tuple(r.values()) for r in one.differing[:limit]])
            if len(one.differing) > limit:
                say_cut(limit)
    typer.echo(f"\n{checks - len(failed)} of {checks} checks that block hold.")
    for verdict in failed:
        typer.echo(f"\n{verdict.name}: {verdict.description}")
        if command := _command(verdict):
            typer.echo(f"The rows: {command}")


def _command(verdict: "Verdict") -> str | None:
    command = verdict.metadata.get("command")
    return command.value if command else None


def _refuse_what_differs(
    layout: "LakeLayout", key: str, compared: "Sequence[Compared]", failed: "Sequence[Verdict]"
) -> None:
    """Tables are made again by a rebuild; raw_messages are what it would make them from.

    A row of the ledger is compared by checks with what is beside it, so one that differs although
    they all hold is as it was written, and its message is not.
    """
    from assess_assets.tables.fates import MESSAGE_LEDGER
    from assess_assets.tables.ingest import RAW_MESSAGES

    differing = [one.table.name for one in compared if one.differing]
    if not differing and not failed:
        return
    told = [f"rows differ in {', '.join(differing)}"] if differing else []
    if failed:
        told.append(f"{', '.join(one.name for one in failed)} failed")
    uri = layout.uri(RAW_MESSAGES, key)
    if MESSAGE_LEDGER.name in differing and not failed:
        raise CommandFailed(
            f"Customer {key}: {'; '.join(told)}, while the tables agree with each other: it is "
            f"messages that have changed since they were judged, in raw_messages ({uri}). Do not "
            "rebuild, which would make tables of them.",
            f"Restore the last version of raw_messages before the change: assess history "
            f"--customer {key} lists its versions.",
        )
    raise CommandFailed(
        f"Customer {key}: {'; '.join(told)} ({layout.root}).",
        f"To make the tables again from raw_messages: assess rebuild --customer {key} "
        "--reason 'rows differed'. Where that changes nothing, it is raw_messages or "
        f"source_ranges: assess history --customer {key} lists versions to restore.",
    )
