"""source_ranges and raw_messages: claim what is new at a customer's sources, then store it.

A claim is made before anything is read and never changes, so a batch can be landed again by any
later run, with the same rows, and it is landed before another is claimed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from assess_assets.assets.each_customer import each_customer
from assess_assets.assets.specs import asset_out, customer_multi_asset
from assess_assets.resources.lake import LakeResource
from assess_assets.sources.batches import Sources, find_new, read_batch
from assess_assets.sources.landing import check_unread
from assess_assets.sources.ranges import SourceRange
from assess_assets.storage.claims import (
    Batch,
    claim_batch,
    claimed_batches,
    claimed_ends,
    count_landed,
    landed_ends,
    unlanded,
)
from assess_assets.storage.delta import Pin
from assess_assets.storage.lake import MESSAGES_OF_ONE_FILE, Lake, Replacement
from assess_assets.storage.protocol import require_claims, require_ranges
from assess_assets.tables.ingest import RAW_MESSAGES, SOURCE_RANGES

SILENT_SECONDS = 60.0  # of a broker: else each customer of a range waits for it anew


@customer_multi_asset(
    name="land_messages",
    outs={
        SOURCE_RANGES.name: asset_out(SOURCE_RANGES),
        RAW_MESSAGES.name: asset_out(RAW_MESSAGES),
    },
    deps=["landing_files", "assessment_topic"],
)
def land_messages(
    context: dg.AssetExecutionContext, lake: LakeResource
) -> Iterator[dg.Output[Any]]:
    """Claim new ranges of every customer's landed files and topic as one batch, and store them."""

    broker = lake.broker(silent_seconds=SILENT_SECONDS)

    def land(customer: str) -> Landed:
        return land_customer(
            lake.lake,
            lake.sources_of(customer, broker),
            lake.max_messages_per_run,
            context.run.run_id,
        )

    landed = each_customer(context, lake.lake, land)
    for told in (one.left_out for one in landed.values() if one.left_out):
        context.log.warning(told)
    yield dg.Output(landed.map(lambda one: one.claim), SOURCE_RANGES.name)
    yield dg.Output(landed.map(lambda one: one.messages), RAW_MESSAGES.name)


@dataclass(frozen=True)
class MessagesOfTopics(Replacement):
    """Messages to be written, and then to be counted for the claims that could not know."""

    count: Callable[[], None] = field(kw_only=True)

    def commit(self, evidence: dict[str, Any]) -> None:
        super().commit(evidence)
        self.count()


@dataclass(frozen=True)
class Landed:
    """A claim (already made) and the messages that it is for (still to be written)."""

    claim: Replacement
    messages: Replacement
    left_out: str | None = None  # what was not looked at, and why


def land_customer(lake: Lake, sources: Sources, max_messages: int, run_id: str) -> Landed:
    customer = sources.customer
    raw = lake.pin(RAW_MESSAGES, customer)
    claims = lake.pin(SOURCE_RANGES, customer)
    batches = claimed_batches(claims)
    landed = lake.progress(raw).highest_batch
    require_claims(customer, batches[-1].number if batches else 0, landed)
    for left in unlanded(batches, landed):
        # A crash came between claim and messages: land that batch before claiming another.
        check_unread(sources.folder, left.ranges)
        _messages(lake, sources, raw, left).commit({"run_id": run_id})
        raw, landed = lake.pin(RAW_MESSAGES, customer), left.number

    claimed = [claim for batch in batches for claim in batch.ranges]
    found = find_new(sources, claimed, max_messages)
    ranges = found.ranges
    if not ranges:
        nothing = Replacement(raw, facts={"ranges_read": 0})
        counted = _counted(lake, nothing, claimed, landed)
        return Landed(Replacement(claims), counted, found.left_out)
    # Only now: it reads offsets of all that is landed, and without news nothing can be read twice.
    require_ranges(customer, claimed_ends(batches), landed_ends(raw))
    new = claim_batch(claims, batches, ranges, lake.now(), run_id)
    facts = {
        "batch": new.number,
        "ranges_read": sum(r.kind == "read" for r in ranges),
        "offsets_read": new.messages,
        "refused": [f"{r.source}: {r.note}" for r in ranges if r.kind == "refused"],
    }
    messages = _messages(lake, sources, raw, new, facts)
    return Landed(
        Replacement(lake.pin(SOURCE_RANGES, customer), facts={**facts, "changed": True}),
        _counted(lake, messages, [*claimed, *ranges], new.number),
        found.left_out,
    )


def _counted(
    lake: Lake, messages: Replacement, ranges: Sequence[SourceRange], upto: int
) -> Replacement:
    """The same to be written, and ranges of topics up to that batch to be counted then."""
    if all(claim.is_of_a_file for claim in ranges):
        return messages

    def count() -> None:
        claims, raw = (lake.pin(t, messages.target.customer) for t in (SOURCE_RANGES, RAW_MESSAGES))
        count_landed(claims, raw, upto)

    return MessagesOfTopics(**vars(messages), count=count)


def _messages(
    lake: Lake, sources: Sources, raw: Pin, batch: Batch, facts: Mapping[str, Any] | None = None
) -> Replacement:
    """The batch's messages, to be written."""
    frame = read_batch(lake.spark, sources, batch.ranges, batch.number, batch.claimed_at)
    few = batch.messages <= MESSAGES_OF_ONE_FILE
    return Replacement(raw, frame, batch.bounds, facts or {}, one_file=few)
