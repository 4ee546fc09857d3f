"""`assess publish`: send a file's records to a customer's topic, and count what was acknowledged.

Belongs here: the command and its progress bar. Producing is sources/kafka_publishing's.
"""

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from assess_assets.cli.deployment import deployment, kafka_of, make_dagster_home_for_later
from assess_assets.cli.errors import CommandFailed
from assess_assets.cli.options import Customer, CustomerName, chosen_customer
from assess_assets.commands import update_command


def publish(
    file: Annotated[Path, typer.Argument(help="JSON, one per line or an array; may be gzipped.")],
    customer: Customer = None,
    customer_name: CustomerName = None,
    partitions: Annotated[
        int | None,
        typer.Option(min=1, help="Of a topic that is made (default: the broker's)."),
    ] = None,
) -> None:
    """Send a file to a customer's Kafka topic.

    One message per record. Exit code 1 unless the broker acknowledged every record. Sent twice, a
    record is read twice, and the second one's fate is `duplicate`.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from assess_assets.sources.kafka_publishing import Published, ensure_topic, send_all
    from assess_assets.sources.kafka_topic import Broker
    from assess_assets.sources.landing_content import file_blocks
    from assess_assets.sources.landing_formats import read_content

    key = chosen_customer(customer, customer_name)
    settings, _ = deployment()
    config = kafka_of(settings)
    with file.open("rb", 0) as content:
        if not content.seekable():
            raise CommandFailed(
                f"{file} can't be published: it is read twice, first to count its records, and a "
                "pipe is gone after the first time. Write it into a file, and publish that."
            )
        defects = Counter(record.defect for record in read_content(file_blocks(content)).records)
        total = defects.total()
        if None not in defects:  # no topic is made for nothing
            first = next(iter(defects), None)
            told = f"no record in it can be sent: {first}" if first else "it has no records"
            raise CommandFailed(f"Nothing of {file} was published: {told}.")
        there = ensure_topic(Broker(config, key), partitions)
        bar = Progress(
            TextColumn("Acknowledged"),
            BarColumn(),
            MofNCompleteColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        with bar:
            task = bar.add_task("", total=total)
            acknowledged = 0

            def tell(done: Published) -> None:
                nonlocal acknowledged
                acknowledged = done.acknowledged
                bar.update(task, completed=acknowledged)

            try:
                done = send_all(config, key, read_content(file_blocks(content)).records, tell)
            except KeyboardInterrupt:
                bar.stop()
                typer.echo(
                    f"Customer {key}: interrupted: {acknowledged} of {total} messages "
                    "acknowledged. Publishing the file again makes duplicates of them.",
                    err=True,
                )
                raise typer.Exit(130) from None
    typer.echo(
        f"Customer {key}: {done.acknowledged} of {done.records} messages acknowledged in "
        f"{done.topic} ({there} partitions)."
    )
    if partitions not in (None, there):
        typer.echo(f"The topic was there with {there} partitions; that was not changed.", err=True)
    if done.acknowledged != done.records:
        told = "\n".join(f"- {reason}" for reason in done.failures)
        raise CommandFailed(f"{done.failed} records are not in {done.topic}. The first:\n{told}")
    make_dagster_home_for_later()
    typer.echo(f"Next: assess customers sync, then {update_command(key)}")
