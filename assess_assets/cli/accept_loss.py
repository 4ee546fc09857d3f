"""`assess accept-loss`: an operator's word that what a source no longer has won't come back.

Belongs here: the command, and when the loss of a landed file can be accepted; a topic's is in
`topic_loss`. The claim is storage/claims'.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assess_assets.cli.deployment import deployment, pin_existing
from assess_assets.cli.errors import CommandFailed
from assess_assets.cli.options import Customer, CustomerName, chosen_customer
from assess_assets.cli.topic_loss import accept_topic_loss
from assess_assets.commands import update_command

if TYPE_CHECKING:
    from assess_assets.sources.ranges import SourceRange
    from assess_assets.storage.claims import Batch
    from assess_assets.storage.layout import LakeLayout


def accept_loss(
    source: Annotated[str, typer.Option("--source", help="The landed file's name, or the topic.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in source_ranges.note.")],
    customer: Customer = None,
    customer_name: CustomerName = None,
    partition: Annotated[
        int | None, typer.Option(min=0, help="Of a topic: this one only (default: each).")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without: only show what.")] = False,
) -> None:
    """Give up what a source has lost before it was read.

    Its messages, of a landed file or a topic, are claimed as kind `lost` in a batch of their own.
    That can't be undone.
    """
    from assess_assets.sources.kafka import AGAIN
    from assess_assets.sources.kafka_topic import topic_of
    from assess_assets.sources.landing_files import is_landing_name

    key = chosen_customer(customer, customer_name)
    settings, layout = deployment()
    topic = topic_of(key)
    is_made_again = source.startswith(topic + AGAIN) and not is_landing_name(source)
    if source == topic or is_made_again:  # what `assess history` calls the latter
        accept_topic_loss(settings, layout, key, topic, partition, reason, yes)
    else:
        _accept_file_loss(layout, settings.landing / key, key, source, reason, yes)


def _accept_file_loss(
    layout: "LakeLayout", folder: Path, customer: str, source: str, reason: str, yes: bool
) -> None:
    from assess_assets.sources.ranges import lost_rest
    from assess_assets.storage.claims import claimed_batches, give_up, highest_landed, unlanded
    from assess_assets.tables.ingest import RAW_MESSAGES, SOURCE_RANGES

    claims = pin_existing(layout, SOURCE_RANGES, customer)
    raw = pin_existing(layout, RAW_MESSAGES, customer)
    batches = claimed_batches(claims) if claims else []
    last = _furthest(customer, source, batches)
    unread = [claim for batch in unlanded(batches, highest_landed(raw)) for claim in batch.ranges]
    lost = lost_rest(last, reason, unread)
    if not lost.messages or claims is None:
        raise CommandFailed(
            f"Customer {customer}: all {last.end_offset} messages of {source} have been read, or "
            "given up before. There is no loss to accept."
        )
    _refuse_if_there(customer, folder, source)
    typer.echo(
        f"Customer {customer}, {source} (SHA-256 {last.identity}): {lost.messages} messages, "
        f"{lost.start_offset} to {lost.end_offset}, were never read."
    )
    if not yes:
        raise CommandFailed("Nothing was changed. With --yes they are given up for good.")
    batch = give_up(claims, raw, batches, [lost], datetime.now(UTC), "assess accept-loss")
    typer.echo(f"Given up as batch {batch.number}. Next: {update_command(customer)}")


def _furthest(customer: str, source: str, batches: "list[Batch]") -> "SourceRange":
    of_files = [c for b in batches for c in b.ranges if c.is_of_a_file and c.kind != "refused"]
    claims = [claim for claim in of_files if claim.source == source]
    if not claims:
        unread = sorted({claim.source for claim in of_files})
        raise CommandFailed(
            f"Customer {customer}: no messages of a landed file {source!a} have been claimed. "
            f"Claimed were: {', '.join(unread) or 'none'} (assess history --customer {customer})."
        )
    return max(claims, key=lambda claim: claim.end_offset)


def _refuse_if_there(customer: str, folder: Path, source: str) -> None:
    from assess_assets.sources.landing_files import list_files

    if source in list_files(folder):
        raise CommandFailed(
            f"Customer {customer}: {folder / source} is there. If its content is the claimed one, "
            "run raw_messages: it is read on. If it was changed, land the new content under "
            "another name, remove this file, and accept the loss then."
        )
