"""`assess customers`: who they are; registering them as partitions of Dagster.

Belongs here: the commands. What a key looks like is customer_names' business.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assess_assets.cli.deployment import dagster_instance, deployment, kafka_of, pin_existing
from assess_assets.cli.errors import CommandFailed, Commands
from assess_assets.cli.options import AsJson
from assess_assets.cli.output import print_json, print_json_rows, print_rows
from assess_assets.commands import update_command
from assess_assets.sources.landing_customers import landed_folders

if TYPE_CHECKING:
    from assess_assets.settings import Settings
    from assess_assets.storage.layout import LakeLayout

PARTITIONS = "customers"  # the name of customers.CUSTOMERS, which would import Dagster

commands = typer.Typer(
    cls=Commands,
    help="List the customers; register them as partitions.",
    invoke_without_command=True,
)


@dataclass
class Known:
    """One customer, as far as landing folder, lake and Dagster know it."""

    key: str
    name: str
    registered: bool | None  # None: there is no instance to ask
    landing_files: int | None = None  # None, of this and the next: it can't be seen
    tables: list[str] | None = None
    messages: int | None = None
    problems: list[str] = field(default_factory=list)


@commands.callback()
def customers(
    context: typer.Context,
    overview: Annotated[
        bool,
        typer.Option("--overview", help="Instead, the rows of customer_overview: their figures."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List every customer: registered, landed or with tables."""
    if context.invoked_subcommand is not None:
        if overview or as_json:
            raise typer.BadParameter(
                f"--overview and --json are of the list: give options of "
                f"{context.invoked_subcommand} after it."
            )
    elif overview:
        _overview(as_json)
    else:
        _list(as_json)


@commands.command()
def sync(as_json: AsJson = False) -> None:
    """Register the customer of every landing folder and topic.

    Exit code 1 if a name is no key.
    """
    settings, _ = deployment()
    with dagster_instance() as instance:
        # Asked first: who is being removed loses sources before the partition, and stays removed.
        known = set(instance.get_dynamic_partitions(PARTITIONS))
        landed, misnamed = landed_folders(settings.landing)
        published, no_keys, silent = _published(settings)
        keys = sorted({*landed, *published})
        new = [key for key in keys if key not in known]
        instance.add_dynamic_partitions(PARTITIONS, new)
    if as_json:
        print_json(
            {
                "landed": landed,
                "published": published,
                "registered_now": new,
                "misnamed_folders": misnamed,
                "misnamed_topics": no_keys,
            }
        )
    else:
        _tell_synced(landed, published if settings.kafka and not silent else None, new)
    if silent:
        raise CommandFailed(f"Who has a topic is not known, and was not registered. {silent}")
    if misnamed:
        raise CommandFailed(
            f"{len(misnamed)} landing folders are read by no run:\n" + told(misnamed)
        )
    if no_keys:
        raise CommandFailed(
            f"Topics that no run reads, as no customer has such a key: {', '.join(no_keys)}"
        )


def _tell_synced(landed: list[str], published: list[str] | None, new: list[str]) -> None:
    with_topics = "" if published is None else f", {len(published)} have topics"
    typer.echo(
        f"{len(landed)} customers have landing folders{with_topics}, {len(new)} of them are new."
    )
    for key in new:
        typer.echo(f"Registered {key}")


def _published(settings: "Settings") -> tuple[list[str], list[str], Exception | None]:
    """Customers with a topic, and topics that are nobody's, if there is a broker to ask; and why
    it can't be asked: who has a folder is registered all the same."""
    if not settings.kafka:
        return [], [], None
    from assess_assets.customer_names import EVERYBODY
    from assess_assets.sources.kafka_errors import NoAnswer
    from assess_assets.sources.kafka_topic import Broker

    try:
        return *Broker(kafka_of(settings), EVERYBODY).customers(), None
    except NoAnswer as error:
        return [], [], error


@commands.command()
def add(
    name: Annotated[str, typer.Argument(help='The customer\'s name, as in "Acme & Co".')],
) -> None:
    """Register one customer by its name. To undo it: assess customers remove KEY."""
    from assess_assets.customer_names import encode_customer

    key = encode_customer(name)
    settings, _ = deployment()
    with dagster_instance() as instance:
        is_new = not instance.has_dynamic_partition(PARTITIONS, key)
        instance.add_dynamic_partitions(PARTITIONS, [key])
    typer.echo(f"{'Registered' if is_new else 'Was registered before:'} {key}")
    typer.echo(f"Its files go to {settings.landing / key}: assess land FILE --customer {key}")


def told(misnamed: dict[str, str]) -> str:
    return "\n".join(f"- {name!a}: {fix}" for name, fix in misnamed.items())


def _list(as_json: bool) -> None:
    from assess_assets.customer_names import decode_customer, keys_among

    settings, layout = deployment()
    landed, misnamed = landed_folders(settings.landing)
    partitions = _registered()
    known, no_keys = keys_among(partitions or ())
    registered = None if partitions is None else set(known)
    keys = sorted({*landed, *(registered or ()), *_in_lake(layout)})
    found = []
    for key in keys:
        is_registered = None if registered is None else key in registered
        one = Known(key, decode_customer(key), is_registered)
        _look(one, settings.landing, layout)
        found.append(one)
    if as_json:
        print_json([asdict(one) for one in found])
    elif found:
        _print(found)
    else:
        typer.echo(f"No customer yet: {settings.landing} and {layout.root} hold none.")
        typer.echo("Next: assess land FILE --customer-name NAME, or assess customers add NAME")
    if misnamed:
        typer.echo("Landing folders that no run reads:\n" + told(misnamed), err=True)
    if no_keys:
        typer.echo("Partitions that are no customer's:\n" + told(no_keys), err=True)


def _print(found: list[Known]) -> None:
    words = {True: "yes", False: "no", None: "?"}
    rows = []
    for one in found:
        tables = None if one.tables is None else len(one.tables)
        counts = ("?" if of is None else of for of in (one.landing_files, tables, one.messages))
        rows.append((one.key, one.name, words[one.registered], *counts))
    print_rows(["customer", "name", "registered", "landing files", "tables", "messages"], rows)
    for problem in (problem for one in found for problem in one.problems):
        typer.echo(problem, err=True)


def _registered() -> set[str] | None:
    try:
        with dagster_instance() as instance:
            return set(instance.get_dynamic_partitions(PARTITIONS))
    except CommandFailed as error:
        typer.echo(f"Who is registered is unknown. {error}", err=True)
        return None


def _in_lake(layout: "LakeLayout") -> list[str]:
    """Customers with a folder in the lake, if it is on this machine: others can't be listed."""
    root = layout.local_root
    return landed_folders(root)[0] if root else []


def _look(one: Known, landing: Path, layout: "LakeLayout") -> None:
    """Count what it has, or note why that can't be seen: the others are listed all the same."""
    from assess_assets.sources.landing_files import list_files
    from assess_assets.sources.ranges import SourceError
    from assess_assets.storage.delta import committed
    from assess_assets.storage.lake_faults import LakeFault
    from assess_assets.storage.sandbox import open_tables
    from assess_assets.tables.ingest import RAW_MESSAGES

    try:
        one.landing_files = len(list_files(landing / one.key))
    except SourceError as error:
        one.problems.append(str(error))
    try:
        one.tables = [name for name, opened in open_tables(layout, one.key).items() if opened]
        raw = pin_existing(layout, RAW_MESSAGES, one.key)
        one.messages = committed(raw).rows if raw else 0
    except LakeFault as error:
        one.problems.append(str(error))


def _overview(as_json: bool) -> None:
    """The operator's table: it is shared, so no customer's `show` or `sql` has it."""
    from assess_assets.storage.layout import PLATFORM_FOLDER
    from assess_assets.tables.reports import CUSTOMER_OVERVIEW

    _, layout = deployment()
    pinned = pin_existing(layout, CUSTOMER_OVERVIEW, PLATFORM_FOLDER)
    names = CUSTOMER_OVERVIEW.column_names
    order = ", ".join(CUSTOMER_OVERVIEW.order)
    asked = f"select {', '.join(names)} from pinned order by {order}"
    rows = pinned.look_up(asked) if pinned else []
    if as_json:
        print_json_rows(rows)
    elif rows:
        print_rows(names, [tuple(row.values()) for row in rows])
    else:
        typer.echo(
            f"Table customer_overview of {layout.root} has no row yet: a customer's is made with "
            f"its other tables. Next: {update_command('KEY')}"
        )
