"""Which offsets of a customer's topic a run claims next.

Belongs here: the decision, from the topic as it is now and the ranges claimed so far; no offset is
ever skipped without a claim that says so. Does not: asking the broker (`kafka_topic`), reading
(`kafka_reading`), accepting a loss (`kafka_losses`).
"""

from collections.abc import Mapping, Sequence
from typing import Final

from assess_assets.sources.kafka_errors import (
    OffsetsWentBack,
    TopicMissing,
    TopicOffsetsLost,
    TopicRecreated,
)
from assess_assets.sources.kafka_topic import Broker, TopicState, Watermarks
from assess_assets.sources.ranges import RangeKind, SourceRange, accept_command

AGAIN: Final = "@"  # no topic's name has it
_ANOTHER_CLUSTER: Final = "ASSESS_KAFKA names another cluster than before, set it back"


def find_new_kafka_ranges(
    customer: str,
    topic: str,
    claimed: Sequence[SourceRange],
    max_messages: int,
    broker: Broker,
) -> list[SourceRange]:
    """The next range of each partition of the topic, of at most `max_messages` offsets in all.

    A range goes from the last claimed offset to the last stable one now. A topic without offsets
    to read, or no topic yet, gives none. Raises the errors of `kafka_errors`.
    """
    state = broker.look_at(topic)
    return next_ranges(customer, topic, state, claimed, max_messages)


def next_ranges(
    customer: str,
    topic: str,
    state: TopicState | None,
    claimed: Sequence[SourceRange],
    max_messages: int,
) -> list[SourceRange]:
    """The same for a topic that was looked at.

    A topic that is new to the customer is claimed from where it begins, empty partitions too: from
    then on, whatever disappears before it was read is noticed. What a topic had lost before that
    is told in the range's note.
    """
    if max_messages < 1:
        raise ValueError("max_messages must be at least 1")
    source, last = current_source(topic, state, claimed)
    if state is None:
        if any(claim.kind != "lost" for claim in last.values()):
            raise _missing(customer, topic, last)
        return []
    if source is None:
        raise _recreated(customer, topic, state, claimed)
    _check_watermarks(customer, topic, state, last)

    starts = {
        number: next_offset(number, last) if last else marks.low
        for number, marks in state.partitions.items()
    }
    waiting = {number: marks.end - starts[number] for number, marks in state.partitions.items()}
    turns = [claim.partition for claim in claimed if claim.source == source and claim.messages]
    taken = share(waiting, max_messages, turns)
    return [
        topic_range(
            source,
            number,
            (starts[number], starts[number] + taken[number]),
            state,
            note=_note(marks) if not last else None,
        )
        for number, marks in state.partitions.items()
        if taken[number] or not last
    ]


def current_source(
    topic: str, state: TopicState | None, claimed: Sequence[SourceRange]
) -> tuple[str | None, dict[int, SourceRange]]:
    """What the topic of this id is called in tables, and the furthest claim of each partition.

    The first topic is called by its name. One that was made again starts at offset 0 anew, so
    once an operator has accepted that, it is called `<topic>@<id>`. None: it is not accepted yet.
    Without a topic, it is the last one that was there.
    """
    claims = claims_of(topic, claimed)
    if not claims:
        return topic, {}
    wanted = newest_identity(claims) if state is None else state.id
    own = [claim for claim in claims if claim.identity == wanted]
    return (own[-1].source if own else None), furthest(own)


def claims_of(topic: str, claimed: Sequence[SourceRange]) -> list[SourceRange]:
    """The claims of every topic that has had this name, in the order of their batches."""
    return [
        claim
        for claim in claimed
        if not claim.is_of_a_file and claim.source.partition(AGAIN)[0] == topic
    ]


def newest_identity(claims: Sequence[SourceRange]) -> str:
    """The id of the last topic that was known by this name: the last one to appear first."""
    return list(dict.fromkeys(claim.identity for claim in claims))[-1]


def furthest(claims: Sequence[SourceRange]) -> dict[int, SourceRange]:
    """The claim that reaches furthest, per partition."""
    last: dict[int, SourceRange] = {}
    for claim in claims:
        before = last.get(claim.partition)
        if before is None or claim.end_offset >= before.end_offset:
            last[claim.partition] = claim
    return last


def next_offset(number: int, last: Mapping[int, SourceRange]) -> int:
    """The first offset of a partition that nobody has claimed; 0 if it was added to the topic."""
    return last[number].end_offset if number in last else 0


def share(waiting: Mapping[int, int], most: int, turns: Sequence[int] = ()) -> dict[int, int]:
    """`most` dealt out evenly; what one partition doesn't need goes to the others.

    If there is not one for each, those get one whose last turn of `turns` was the longest ago.
    """
    last_turn = {number: turn for turn, number in enumerate(turns)}
    behind = sorted(filter(waiting.get, sorted(waiting)), key=lambda each: last_turn.get(each, -1))
    served = sorted(behind[:most], key=lambda number: waiting[number])
    taken = dict.fromkeys(waiting, 0)
    for position, number in enumerate(served):
        even = -(-most // (len(served) - position))
        taken[number] = min(waiting[number], even)
        most -= taken[number]
    return taken


def topic_range(
    source: str,
    partition: int,
    offsets: tuple[int, int],
    state: TopicState,
    kind: RangeKind = "read",
    note: str | None = None,
) -> SourceRange:
    """A range of one partition of the topic as it is now."""
    start, end = offsets
    return SourceRange(
        source=source,
        partition=partition,
        start_offset=start,
        end_offset=end,
        start_byte=None,
        end_byte=None,
        identity=state.id,
        size_bytes=None,
        source_end_offset=max(end, state.partitions[partition].end),
        source_timestamp_ms=None,
        kind=kind,
        note=note,
    )


def _note(marks: Watermarks) -> str | None:
    return f"the topic began at offset {marks.low} when first read" if marks.low else None


def _check_watermarks(
    customer: str, topic: str, state: TopicState, last: Mapping[int, SourceRange]
) -> None:
    if not last:
        return
    back, lost = [], []
    for number, marks in state.partitions.items():
        start = next_offset(number, last)
        if start > marks.end:
            back.append(f"partition {number} ends at {marks.end}, and {start} was claimed")
        elif start < marks.low:
            lost.append(
                f"partition {number} from {start} to {marks.low} ({marks.low - start} offsets)"
            )
    if back:
        raise OffsetsWentBack(
            f"Customer {customer}: topic {topic} has gone back: {'; '.join(back)}. The broker has "
            "lost messages that were acknowledged, and would use their offsets again. Restore the "
            "broker's data and run again; or delete the topic, make it again, publish what is "
            f"missing, and then: {accept_command(customer, topic)}"
        )
    if lost:
        raise TopicOffsetsLost(
            f"Customer {customer}: topic {topic} no longer has messages that were not read: "
            f"{'; '.join(lost)}. Retention or delete_records removed them. Publish them again "
            "from where they came if you can. To go on without them: "
            f"{accept_command(customer, topic)}"
        )


def _missing(customer: str, topic: str, last: Mapping[int, SourceRange]) -> TopicMissing:
    told = ", ".join(f"{number}: {claim.end_offset}" for number, claim in sorted(last.items()))
    return TopicMissing(
        f"Customer {customer}: topic {topic} is gone. It was claimed up to (partition: offset) "
        f"{told}; what came after that is lost with it. If {_ANOTHER_CLUSTER}. If it was deleted "
        f"on purpose: {accept_command(customer, topic)}"
    )


def _recreated(
    customer: str, topic: str, state: TopicState, claimed: Sequence[SourceRange]
) -> TopicRecreated:
    claims = claims_of(topic, claimed)
    old = newest_identity(claims)
    last = furthest([claim for claim in claims if claim.identity == old])
    left = sum(claim.source_end_offset - claim.end_offset for claim in last.values())
    return TopicRecreated(
        f"Customer {customer}: topic {topic} was deleted and made again: its id was "
        f"{old} and is {state.id}. At least {left} messages of the old one were not read "
        f"and are lost. If {_ANOTHER_CLUSTER}. To go on with the new one from its beginning: "
        f"{accept_command(customer, topic)}"
    )
