"""What of claimed offsets the broker serves and nobody can read: damaged, or too large unpacked.

Belongs here: finding exactly these, so that they can be given up alone. Does not: what the broker
no longer has (`kafka_losses`), or reading what is sound (`kafka_reading`).

A producer packs messages in batches, and one that is broken takes all of its messages with it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from assess_assets.sources.kafka_config import KafkaConfig
from assess_assets.sources.kafka_errors import MessageUnreadable
from assess_assets.sources.kafka_reading import read_batches
from assess_assets.sources.ranges import SourceRange


def unreadable(
    config: KafkaConfig, customer: str, unread: Sequence[SourceRange], note: str
) -> list[SourceRange]:
    """The ranges to claim as lost so that the rest of `unread`, of a topic, can be landed.

    Reads all of it. Raises the errors of `kafka_errors` for whatever else is wrong.
    """
    return [
        replace(claim, start_offset=start, end_offset=end, kind="lost", note=note)
        for claim in unread
        for start, end in _broken_spans(config, customer, claim)
    ]


def _broken_spans(
    config: KafkaConfig, customer: str, claim: SourceRange
) -> Iterator[tuple[int, int]]:
    def broken_batch(start: int, end: int) -> int | None:
        """The first offset of the first batch in there that can't be read."""
        try:
            for _ in read_batches(
                config, customer, replace(claim, start_offset=start, end_offset=end)
            ):
                pass
        except MessageUnreadable as error:
            return error.batch
        return None

    at = claim.start_offset
    while (batch := broken_batch(at, claim.end_offset)) is not None:
        start = max(at, batch)
        at, beyond = start + 1, claim.end_offset
        while at < beyond:  # each offset of the batch tells the same batch
            middle = (at + beyond) // 2
            if broken_batch(middle, middle + 1) == batch:
                at = middle + 1
            else:
                beyond = middle
        yield start, at
