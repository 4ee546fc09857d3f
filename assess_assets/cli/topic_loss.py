"""The half of `assess accept-loss` that is about a Kafka topic.

Belongs here: asking for the yes and claiming. What can be accepted is sources/kafka_losses'.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from assess_assets.cli.deployment import kafka_of, pin_existing
from assess_assets.cli.errors import CommandFailed
from assess_assets.commands import update_command

if TYPE_CHECKING:
    from assess_assets.settings import Settings
    from assess_assets.storage.layout import LakeLayout


def accept_topic_loss(
    settings: "Settings",
    layout: "LakeLayout",
    customer: str,
    topic: str,
    partition: int | None,
    reason: str,
    yes: bool,
) -> None:
    """Give up what the topic no longer has, as the broker and the claims say now.

    If it has all, what of a claimed batch can't be read.
    """
    from assess_assets.sources.kafka_damage import unreadable
    from assess_assets.sources.kafka_losses import losses
    from assess_assets.sources.kafka_topic import Broker
    from assess_assets.storage.claims import claimed_batches, give_up, highest_landed, unlanded
    from assess_assets.tables.ingest import RAW_MESSAGES, SOURCE_RANGES

    claims = pin_existing(layout, SOURCE_RANGES, customer)
    raw = pin_existing(layout, RAW_MESSAGES, customer)
    batches = claimed_batches(claims) if claims else []
    config = kafka_of(settings)
    state = Broker(config, customer).look_at(topic)
    claimed = [claim for batch in batches for claim in batch.ranges]
    left = [claim for batch in unlanded(batches, highest_landed(raw)) for claim in batch.ranges]
    found = losses(customer, topic, state, claimed, left, reason)
    if not found:
        of_topic = [claim for claim in left if claim.kind == "read" and not claim.is_of_a_file]
        found = unreadable(config, customer, of_topic, reason)
    if partition is not None and {claim.identity for claim in found} - {state and state.id}:
        raise CommandFailed(
            f"Customer {customer}: all of topic {topic} is gone, not one partition. Leave out "
            "--partition."
        )
    lost = [claim for claim in found if partition in (None, claim.partition)]
    if not lost or claims is None:
        raise CommandFailed(
            f"Customer {customer}: topic {topic} has everything that was not read yet, "
            "and what was claimed of it can be read. "
            "There is no loss to accept."
        )
    for claim in lost:
        typer.echo(
            f"Customer {customer}, {claim.source}, partition {claim.partition}: "
            f"{claim.messages} offsets, {claim.start_offset} to {claim.end_offset}, are given up."
        )
    if not yes:
        raise CommandFailed("Nothing was changed. With --yes they are given up for good.")
    batch = give_up(claims, raw, batches, lost, datetime.now(UTC), "assess accept-loss")
    typer.echo(f"Given up as batch {batch.number}. Next: {update_command(customer)}")
