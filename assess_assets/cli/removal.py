"""`assess customers remove`: off-boarding, so that a kill anywhere is finished by the same command.

Belongs here: what a customer has, who has to agree, and the order. Moving and deleting a folder of
the lake is storage/removal's.
"""

import shutil
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from assess_assets.cli.customers import PARTITIONS
from assess_assets.cli.deployment import dagster_instance, deployment, kafka_of, pin_existing
from assess_assets.cli.errors import CommandFailed
from assess_assets.cli.options import AsJson, shell_quoted
from assess_assets.cli.output import print_json

if TYPE_CHECKING:
    import dagster as dg

    from assess_assets.settings import Settings
    from assess_assets.storage.delta import Pin
    from assess_assets.storage.layout import LakeLayout
    from assess_assets.storage.removal import Removal

RACES: Final = 20  # for customer_overview: more than one is rarely lost
_NOTHING: Final = "Nothing was removed."


@dataclass(frozen=True)
class Found:
    """All that there is of a customer."""

    customer: str
    tables: list[str]
    files: int | None  # None: no folder in the lake
    size_bytes: int
    messages: int | None  # None: the table can't be read
    landing_files: int | None  # None: no landing folder
    overview_row: bool
    registered: bool

    @property
    def told(self) -> list[str]:
        messages = "?" if self.messages is None else f"{self.messages:,}"
        tables = f"{len(self.tables)} tables with {messages} messages"
        told = [
            self.files is not None and f"{tables}: {self.files:,} files, {self.size_bytes:,} bytes",
            self.landing_files is not None and f"the landing folder: {self.landing_files:,} files",
            self.overview_row and "the row of customer_overview",
            self.registered and "the partition in Dagster",
        ]
        return [one for one in told if one]


def remove(
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="The customer's key (assess customers).")
    ],
    landing: Annotated[
        bool, typer.Option("--landing", help="Its landing folder too, with all that is in it.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove a customer from the lake and from Dagster.

    That can't be undone. Its tables, its row of customer_overview and its partition go. Refused
    while a run of it has not ended, and while it has a topic or, without --landing, a landing
    folder. If it is interrupted, the same command finishes it.
    """
    from assess_assets.customer_names import InvalidCustomerKey, require_customer_key
    from assess_assets.storage.removal import Removal

    try:
        require_customer_key(key)
    except InvalidCustomerKey as error:
        raise typer.BadParameter(f"{error} See `assess customers`.") from None
    settings, layout = deployment()
    removal = Removal.of(layout, settings.webhdfs, settings.hadoop_user)
    try:
        found, left = _found_and_removed(settings, removal, key, landing, yes)
    except FileNotFoundError as error:
        raise CommandFailed(
            f"Customer {key}: {error.filename} went away meanwhile. Another removal of the same "
            "customer may be under way.",
            "Run the same again: it finishes what is left, or says that the customer is not known.",
        ) from error
    if as_json:
        print_json({**asdict(found), "leftovers": left})
    else:
        typer.echo(f"Customer {key} is removed. Dagster keeps the history of its runs.")


def _found_and_removed(
    settings: "Settings", removal: "Removal", key: str, landing: bool, yes: bool
) -> tuple[Found, int]:
    """What there was, and how many folders an interrupted removal had left."""
    with dagster_instance(makes_home=False) as instance:
        if left := removal.delete_leftovers(key):  # that was agreed to before
            typer.echo(f"Customer {key}: what an interrupted removal left is deleted.", err=True)
        found = _look(settings, removal, instance, key)
        if found.told:
            _refuse_sources(settings, key, landing)
            _refuse_running(instance, key, list(instance.get_dynamic_partitions(PARTITIONS)))
            _ask(found, yes)
            _remove(removal, instance, found, _landing_folder(settings, key))
        elif not left:
            raise CommandFailed(
                f"Customer {key} is not known: no tables in {removal.layout.root}, no folder in "
                f"{settings.landing}, and not registered. `assess customers` lists who is."
            )
    return found, left


def _landing_folder(settings: "Settings", key: str) -> Path:
    return settings.landing.resolve() / key


def _look(
    settings: "Settings", removal: "Removal", instance: "dg.DagsterInstance", key: str
) -> Found:
    from assess_assets.storage.delta import committed
    from assess_assets.storage.lake_faults import LakeFault
    from assess_assets.tables.ingest import RAW_MESSAGES

    layout = removal.layout
    files, size_bytes = removal.folders.measure(removal.folder(key)) or (None, 0)
    landing = _landing_folder(settings, key)
    try:
        raw = pin_existing(layout, RAW_MESSAGES, key)
        messages = committed(raw).rows if raw else 0
    except LakeFault:  # damaged: it may be removed all the same
        messages = None
    return Found(
        key,
        removal.folders.names_in(removal.folder(key)),
        files,
        size_bytes,
        messages,
        sum(not path.is_dir() for path in landing.rglob("*")) if landing.is_dir() else None,
        _overview_with(layout, key) is not None,
        instance.has_dynamic_partition(PARTITIONS, key),
    )


def _overview_with(layout: "LakeLayout", key: str) -> "Pin | None":
    """The shared table, if it has a row of the customer."""
    from assess_assets.storage.layout import PLATFORM_FOLDER
    from assess_assets.tables.reports import CUSTOMER_OVERVIEW

    pinned = pin_existing(layout, CUSTOMER_OVERVIEW, PLATFORM_FOLDER)
    has_row = pinned and pinned.look_up(f"select 1 from pinned where {_row_of(key)}")
    return pinned if has_row else None


def _row_of(key: str) -> str:
    return f"customer = '{key}'"  # safe: keys are [a-z0-9_-]


def _refuse_sources(settings: "Settings", key: str, with_landing: bool) -> None:
    """What would bring the customer back: folders and topics are registered as they are seen."""
    from assess_assets.sources.kafka_topic import Broker, topic_of
    from assess_assets.sources.ranges import SourceError

    folder = _landing_folder(settings, key)
    if folder.is_symlink():
        raise CommandFailed(
            f"Customer {key}: the landing folder {folder} is a symbolic link. {_NOTHING} Take the "
            f"link away, and run the same again: rm {shell_quoted(str(folder))}"
        )
    if folder.exists() and not with_landing:
        raise CommandFailed(
            f"Customer {key} would come back by its landing folder, {folder}. {_NOTHING} Move that "
            "folder elsewhere, or give --landing to have it removed too."
        )
    if not settings.kafka:
        return
    topic, config = topic_of(key), kafka_of(settings)
    try:
        is_there = Broker(config, key).look_at(topic) is not None
    except SourceError as error:
        raise CommandFailed(
            f"Whether there is a topic is not known. {_NOTHING} {error}",
            "If it has none, or the broker is gone for good: the same without ASSESS_KAFKA. Should "
            "there be one, the customer comes back by it as soon as it is seen.",
        ) from None
    if is_there:
        by = f" --command-config {config.file}" if config.file else ""
        raise CommandFailed(
            f"Customer {key} would come back by its topic. {_NOTHING} Delete the topic, then run "
            f"the same again: kafka-topics.sh --bootstrap-server {config.servers}{by} --delete "
            f"--topic {topic}"
        )


def _refuse_running(instance: "dg.DagsterInstance", key: str, registered: list[str]) -> None:
    from assess_assets.automation.being_run import run_with

    if run := run_with(instance, key, registered):
        raise CommandFailed(
            f"Customer {key}: run {run} has not ended, so its tables were not removed. Wait for "
            "it, or end it (Runs, Terminate in Dagster's UI; `assess doctor` names runs whose "
            "process may be gone). Then run the same again."
        )


def _ask(found: Found, yes: bool) -> None:
    typer.echo(f"Customer {found.customer}: to be removed for good are", err=True)
    for told in found.told:
        typer.echo(f"- {told}", err=True)
    if not yes and not (sys.stdin.isatty() and typer.confirm("Remove all that?", err=True)):
        raise CommandFailed(f"{_NOTHING} With --yes it is done without asking.")


def _remove(
    removal: "Removal", instance: "dg.DagsterInstance", found: Found, landing: Path
) -> None:
    """First what would register the customer again. Then the partition: without it every step fails
    before it looks at the lake, so that a run which writes still is one that has begun before."""
    key, registered = found.customer, list(instance.get_dynamic_partitions(PARTITIONS))
    if found.landing_files is not None:
        shutil.rmtree(landing)
    instance.delete_dynamic_partition(PARTITIONS, key)
    _refuse_running(instance, key, registered)
    if found.files is not None:
        removal.move_away(key)
    _take_out_of_overview(removal.layout, key)
    removal.delete_leftovers(key)


def _take_out_of_overview(layout: "LakeLayout", key: str) -> None:
    """Runs of other customers commit there too: whoever comes second begins again."""
    from assess_assets.storage.delta import LostRace, take_out

    for left in reversed(range(RACES)):
        try:
            if pinned := _overview_with(layout, key):
                take_out(pinned, _row_of(key))
            return
        except LostRace:
            if not left:
                raise
            time.sleep(0.2)
