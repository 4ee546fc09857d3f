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

if TYPE_CHECKING:
    from assess_assets.settings import Settings
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
    from assess_assets.sources.kafka_topic import topic_of

    key = chosen_customer(customer, customer_name)
    settings, layout = deployment()
    if source == topic_of(key):
        accept_topic_loss(settings, layout, key, source, partition, reason, yes)
    else:
        _accept_file_loss(settings, layout, key, source, reason, yes)


def _accept_file_loss(
    settings: "Settings", layout: "LakeLayout", key: str, source: str, reason: str, yes: bool
) -> None:
    from assess_assets.sources.ranges import lost_rest
    from assess_assets.storage.claims import claim_batch, claimed_batches
    from assess_assets.tables.ingest import SOURCE_RANGES

    claims = pin_existing(layout, SOURCE_RANGES, key)
    batches = claimed_batches(claims) if claims else []
    last = _furthest(key, source, batches)
    lost = lost_rest(last, reason)
    if not lost.messages:
        raise CommandFailed(
            f"Customer {key}: all {last.end_offset} messages of {source} have been claimed. "
            "There is no loss to accept."
        )
    _refuse_if_there(key, settings.landing.expanduser() / key, source)
    _refuse_if_unlanded(layout, key, batches, last)
    typer.echo(
        f"Customer {key}, {source} (SHA-256 {last.identity}): {lost.messages} messages, "
        f"{lost.start_offset} to {lost.end_offset}, were never read."
    )
    if not yes or claims is None:
        raise CommandFailed("Nothing was changed. With --yes they are given up for good.")
    batch = claim_batch(claims, batches, [lost], datetime.now(UTC), "assess accept-loss")
    typer.echo(
        f"Given up as batch {batch.number}. Next: dagster asset materialize -m "
        f"assess_assets.definitions --select '*' --partition {key}"
    )


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


def _refuse_if_unlanded(
    layout: "LakeLayout", customer: str, batches: "list[Batch]", last: "SourceRange"
) -> None:
    """What is claimed can't be lost: a batch has its messages before another one is claimed."""
    from assess_assets.storage.claims import highest_landed, unlanded
    from assess_assets.tables.ingest import RAW_MESSAGES

    raw = pin_existing(layout, RAW_MESSAGES, customer)
    left = unlanded(batches, highest_landed(raw))
    if left:
        needs_it = any(claim.source == last.source for batch in left for claim in batch.ranges)
        raise CommandFailed(
            f"Customer {customer}: batch {left[0].number} is claimed and its messages are not in "
            "raw_messages yet. "
            + (f"Restore the file (SHA-256 {last.identity}) and land" if needs_it else "Land")
            + " them first: dagster asset materialize -m assess_assets.definitions "
            f"--select source_ranges,raw_messages --partition {customer}"
        )
