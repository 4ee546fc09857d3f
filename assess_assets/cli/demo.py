"""`assess demo`: two customers, from files to answers, on this machine.

Belongs here: the order of the tour and what it says. Every step is one that a user can type.
"""

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assess_assets.cli.deployment import dagster_instance, deployment, kafka_of
from assess_assets.cli.errors import CommandFailed
from assess_assets.cli.options import shell_quoted

if TYPE_CHECKING:
    import dagster as dg

    from assess_assets.cli.running import Told
    from assess_assets.settings import Settings
    from assess_assets.storage.layout import LakeLayout

CUSTOMERS = ("acme", "globex")


def demo(
    publish: Annotated[
        bool, typer.Option("--publish", help="Deliver to Kafka's topics, not the landing folder.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--json-to", metavar="FOLDER", help="Write answers there, as JSON."),
    ] = None,
) -> None:
    """Run the tour: two customers, from files to answers.

    The sample is made and landed for acme, a messy delivery for globex; then both are materialized
    and answered. A second run finds everything there and changes nothing.
    """
    settings, layout = deployment()
    _heading("Deliveries")
    _deliver(settings, publish)
    said: dict[str, Told] = {}
    with dagster_instance() as instance:
        before = {customer: _versions(layout, customer) for customer in CUSTOMERS}
        for customer in CUSTOMERS:
            _heading(f"Materialize {customer}")
            said[customer] = _materialize(settings, instance, customer)
    for customer in CUSTOMERS:
        _heading(f"Answers of {customer}")
        _answer(customer, out)
    _heading("Checks that speak up")
    for customer, told in said.items():
        _explain(customer, told)
    _heading("Next")
    for customer in CUSTOMERS:
        changed = _changed(before[customer], _versions(layout, customer))
        typer.echo(f"{customer}: {changed} tables changed.")
    typer.echo("Open the UI:   make ui")
    typer.echo("Look around:   assess show quarantined_messages --customer globex")
    lake = shell_quoted(str(layout.local_root or layout.root))
    typer.echo(f"               with ASSESS_LAKE={lake}")
    if not all(told.succeeded for told in said.values()):
        raise CommandFailed("A run failed: see above, and its log in Dagster's UI (make ui).")


def _heading(text: str) -> None:
    typer.echo(f"\n== {text}")


def _answer(customer: str, folder: Path | None) -> None:
    """On the terminal, or as `<folder>/<customer>.json`."""
    from contextlib import redirect_stdout

    from assess_assets.cli.answers import answers

    if folder is None:
        answers(customer)
        return
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{customer}.json"
    with path.open("w") as file, redirect_stdout(file):
        answers(customer, as_json=True)
    typer.echo(str(path))


def _deliver(settings: "Settings", publish: bool) -> None:
    from tempfile import TemporaryDirectory

    from assess_assets.sample.messy import write_messy_delivery
    from assess_assets.sample.sample import write_sample

    deliver = _publish if publish else _land
    with TemporaryDirectory() as folder:
        sample = Path(folder) / "attempts.json"
        messy = Path(folder) / "delivery.ndjson"
        write_sample(sample)
        write_messy_delivery(messy)
        for file, customer in ((sample, "acme"), (messy, "globex")):
            deliver(settings, file, customer)


def _land(settings: "Settings", file: Path, customer: str) -> None:
    from assess_assets.sources.landing_delivery import land_file
    from assess_assets.sources.ranges import AlreadyLanded

    try:
        landed = land_file(file, settings.landing, customer)
        typer.echo(f"{customer}: landed {landed.name} ({landed.stat().st_size:,} bytes)")
    except AlreadyLanded:
        typer.echo(f"{customer}: {file.name} has landed before")


def _publish(settings: "Settings", file: Path, customer: str) -> None:
    """Into one partition: of two contents of an attempt the first is kept, in order of arrival."""
    from assess_assets.cli.publish import publish
    from assess_assets.sources.kafka_topic import Broker, topic_of

    topic = topic_of(customer)
    state = Broker(kafka_of(settings), customer).look_at(topic)
    there = sum(marks.end for marks in state.partitions.values()) if state else 0
    if there:
        typer.echo(f"{customer}: {there} messages were published to {topic} before")
    else:
        publish(file, customer, partitions=1)


def _materialize(settings: "Settings", instance: "dg.DagsterInstance", customer: str) -> "Told":
    from assess_assets.cli.customers import PARTITIONS
    from assess_assets.cli.running import run_customer

    instance.add_dynamic_partitions(PARTITIONS, [customer])
    return run_customer(settings, instance, customer, str(uuid.uuid4()), "demo")


def _explain(customer: str, told: "Told") -> None:
    if not told.outspoken:
        typer.echo(f"{customer}: none; every check passed.")
    for check in told.outspoken:
        table = check.asset_key.to_user_string()
        typer.echo(f"{customer}: {check.check_name} of {table} ({check.severity.value})")
        typer.echo(f"  {check.description}")
        command = check.metadata.get("command")
        if command:
            typer.echo(f"  The rows: {command.value}")


def _versions(layout: "LakeLayout", customer: str) -> dict[str, int]:
    from assess_assets.cli.deployment import pin_existing
    from assess_assets.tables.registry import TABLES

    pins = {table.name: pin_existing(layout, table, customer) for table in TABLES}
    return {name: pin.version for name, pin in pins.items() if pin}


def _changed(before: dict[str, int], after: dict[str, int]) -> int:
    return sum(before.get(table) != version for table, version in after.items())
