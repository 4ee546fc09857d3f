"""What of a topic an operator can accept as lost, as ranges of kind `lost`.

Belongs here: the decision, from the topic as it is now and what was claimed and landed so far. Does
not: asking for a yes and claiming it (`cli/`).

A loss may reach into a batch that was claimed and never landed: claims don't change, so its `read`
range stays, and the later `lost` range over the same offsets says that they aren't to be read.
"""

from collections.abc import Mapping, Sequence

from assess_assets.sources.kafka import (
    AGAIN,
    claims_of,
    current_source,
    furthest,
    newest_identity,
    next_offset,
    topic_range,
)
from assess_assets.sources.kafka_errors import OffsetsWentBack
from assess_assets.sources.kafka_topic import TopicState
from assess_assets.sources.ranges import SourceRange, first_unread, lost_rest


def losses(
    customer: str,
    topic: str,
    state: TopicState | None,
    claimed: Sequence[SourceRange],
    unread: Sequence[SourceRange],
    note: str,
) -> list[SourceRange]:
    """The ranges to claim as lost so that runs go on; none if nothing is lost.

    `unread`: the ranges, out of `claimed`, whose batches are not in raw_messages. What has been
    given up is not given up again: a topic may be missing first, and made again afterwards.
    """
    claims = claims_of(topic, claimed)
    if not claims:
        return []
    source, last = current_source(topic, state, claimed)
    if state is None or source is None:
        found = _of_a_gone_topic(topic, state, source, claims, unread, note)
    else:
        found = _of_deleted_records(customer, topic, state, source, last, unread, note)
    known = {_offsets(claim) for claim in claimed if claim.kind == "lost"}
    return [claim for claim in found if _offsets(claim) not in known]


def _offsets(claim: SourceRange) -> tuple[str, int, int, int]:
    return claim.source, claim.partition, claim.start_offset, claim.end_offset


def _of_a_gone_topic(
    topic: str,
    state: TopicState | None,
    source: str | None,
    claims: Sequence[SourceRange],
    unread: Sequence[SourceRange],
    note: str,
) -> list[SourceRange]:
    """What was left of it; and, if it was made again, that nothing of the new one is lost."""
    old = newest_identity(claims)
    gone = furthest([claim for claim in claims if claim.identity == old])
    found = [
        lost_rest(claim, note, unread)
        for _, claim in sorted(gone.items())
        if source is None or claim.kind != "lost"
    ]
    if state is not None:
        again = f"{topic}{AGAIN}{state.id}"
        found += [
            topic_range(again, number, (0, 0), state, "lost", note) for number in state.partitions
        ]
    return found


def _of_deleted_records(
    customer: str,
    topic: str,
    state: TopicState,
    source: str,
    last: Mapping[int, SourceRange],
    unread: Sequence[SourceRange],
    note: str,
) -> list[SourceRange]:
    """What the broker no longer has before its first offset. Raises OffsetsWentBack."""
    found = []
    for number, marks in state.partitions.items():
        start = next_offset(number, last)
        if marks.end < start:
            raise OffsetsWentBack(
                f"Customer {customer}: topic {topic}, partition {number} ends at {marks.end}, and "
                f"{start} was claimed: new messages would get offsets that are taken. That can't "
                "be accepted as a loss. Restore the broker's data; or delete the topic, make it "
                "again, and accept that."
            )
        if number in last:
            start = first_unread(last[number], unread)
        if start < marks.low:
            found.append(topic_range(source, number, (start, marks.low), state, "lost", note))
    return found
