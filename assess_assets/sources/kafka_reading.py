"""The messages of one claimed range of a topic, as envelope rows, or an error: never a part.

Belongs here: consuming exactly the claimed offsets, and noticing what the broker does not say. Does
not: what is claimed (`kafka`), or Spark's side of it (`kafka_source`).

Offsets without a message are legal: transaction markers, messages rolled back, compaction. So a
range is read when the position has reached its end, whatever the last message was. What is not
legal is a message that was deleted under the reader: the broker then skips without an error. It is
told by the low watermark, which is asked for before and after: a gap below it is a loss.
"""

import time
from collections.abc import Iterator, Sequence
from threading import Thread
from typing import Final

import pyarrow as pa
from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from assess_assets.sources.kafka import AGAIN
from assess_assets.sources.kafka_arrow import to_batches
from assess_assets.sources.kafka_config import KafkaConfig
from assess_assets.sources.kafka_errors import (
    MessageUnreadable,
    OffsetsWentBack,
    TopicMissing,
    TopicOffsetsLost,
    TopicRecreated,
    is_refusal,
    named_error,
)
from assess_assets.sources.kafka_topic import Broker
from assess_assets.sources.ranges import SourceRange, accept_command

BATCH_ROWS: Final = 1000
STALLED_SECONDS: Final = 30.0  # without a message: longer than a broker takes to restart
CLOSING_SECONDS: Final = 10.0  # for what takes a hundredth of one
_WAIT_SECONDS: Final = 0.2
_READING: Final = {
    "group.id": "assess_assets",  # required, and unused: nothing is joined and nothing committed
    "enable.auto.commit": False,
    "isolation.level": "read_committed",
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
    "fetch.queue.backoff.ms": 0,  # the default stalls a reader for a second at a time
    "check.crcs": True,
}


def read_batches(
    config: KafkaConfig,
    customer: str,
    claim: SourceRange,
    stalled_seconds: float = STALLED_SECONDS,
) -> Iterator[pa.RecordBatch]:
    """The messages that the topic holds at the claimed offsets, in their order."""
    if claim.kind != "read" or not claim.messages:
        return
    broker = Broker(config, customer)
    _check_served(broker, claim, claim.start_offset)
    reading = _Reading(config, customer, claim, stalled_seconds)
    try:
        for messages in reading.messages():
            yield from to_batches(claim, messages)
    finally:
        reading.close()
    _check_served(broker, claim, reading.first_gap)


def topic_of_source(source: str) -> str:
    """The topic's name, of a source that may be one made again."""
    return source.partition(AGAIN)[0]


class _Reading:
    """One consumer on one range. `first_gap`: the first offset that had no message."""

    def __init__(
        self, config: KafkaConfig, customer: str, claim: SourceRange, stalled_seconds: float
    ) -> None:
        self.first_gap: int | None = None
        self._config = config
        self._customer = customer
        self._claim = claim
        self._topic = topic_of_source(claim.source)
        self._stalled_seconds = stalled_seconds
        self._position = claim.start_offset
        self._reasons: list[KafkaError] = []
        self._consumer = Consumer({**config.client(), **_READING, "error_cb": self._reasons.append})

    def close(self) -> None:
        """Does not wait for a client that can't end.

        librdkafka 2.16.0 waits for itself for ever if it is ended while a broker tells it that an
        offset is out of range, or damaged (confluentinc/librdkafka#4514). Such a client is left
        behind in its thread, which ends with the process.
        """
        closing = Thread(target=self._consumer.close, name="ends a Kafka client", daemon=True)
        closing.start()
        closing.join(CLOSING_SECONDS)

    def messages(self) -> Iterator[list[Message]]:
        """Lists of messages until the position is at the range's end."""
        end = self._claim.end_offset
        start = TopicPartition(self._topic, self._claim.partition, self._position)
        self._consumer.assign([start])
        heard = time.monotonic()
        while self._position < end:
            before = self._position
            # No more than there can be: the call waits until it has as many, or for its time.
            most = min(BATCH_ROWS, end - self._position)
            try:
                consumed = self._consumer.consume(most, timeout=_WAIT_SECONDS)
            except KafkaException as error:
                raise self._named(error.args[0]) from None
            found = consumed
            if not self._are_next(consumed):
                found = [message for message in consumed if self._is_ours(message)]
            if found:
                yield found
            if self._position > before:
                heard = time.monotonic()
            elif time.monotonic() - heard > self._stalled_seconds:
                raise self._stalled()

    def _are_next(self, messages: Sequence[Message]) -> bool:
        """Move on over messages that are exactly the next offsets of the range, as nearly all are.

        Offsets of a partition only ever rise, so the first, the last and their number tell.
        """
        if not messages or any(map(Message.error, messages)):
            return False
        first, after = messages[0].offset(), self._position + len(messages)
        if first != self._position or messages[-1].offset() != after - 1:
            return False
        if after > self._claim.end_offset:
            return False
        self._position = after
        return True

    def _is_ours(self, message: Message) -> bool:
        """Move on to the message's offset; whether it belongs to the range."""
        error, offset = message.error(), message.offset()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF and offset is not None:
                self._move(offset)
            else:
                self._judge(error, offset)
            return False
        assert offset is not None
        if offset < self._position:
            return False  # before the start, as an old segment may hold it
        is_ours = offset < self._claim.end_offset
        self._move(offset)
        if is_ours:
            self._position = offset + 1
        return is_ours

    def _move(self, offset: int) -> None:
        if offset > self._position:
            if self.first_gap is None:
                self.first_gap = self._position
            self._position = min(offset, self._claim.end_offset)

    def _judge(self, error: KafkaError, offset: int | None) -> None:
        """Stop at what won't mend itself; the client tries everything else again."""
        if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
            _check_served(Broker(self._config, self._customer), self._claim, self._position)
        if error.code() in (KafkaError._BAD_COMPRESSION, KafkaError._BAD_MSG):
            raise self._unreadable(error, offset)
        if is_refusal(error) or error.fatal():
            raise self._named(error)
        self._reasons.append(error)

    def _unreadable(self, error: KafkaError, offset: int | None) -> MessageUnreadable:
        is_packed = error.code() == KafkaError._BAD_COMPRESSION
        mend = (
            "Unpacked it may be over the client's limit: raise receive.message.max.bytes in the "
            "file that ASSESS_KAFKA_CONFIG names, and run again."
            if is_packed
            else "It was damaged on the broker's disk or on the way: run again, and if it stays, "
            "restore the broker's data."
        )
        told = MessageUnreadable(
            f"Customer {self._customer}: topic {self._topic}, partition {self._claim.partition}: "
            f"the message at offset {self._position} can't be {'unpacked' if is_packed else 'read'}"
            f": {error.str()}. {mend} Nothing was skipped. To give up it alone, and what was "
            f"packed together with it: {accept_command(self._customer, self._topic)}"
        )
        told.batch = self._position if offset is None else offset
        return told

    def _stalled(self) -> Exception:
        _check_served(Broker(self._config, self._customer), self._claim, self._position)
        told = (
            f"no message came for {self._stalled_seconds:g} s at offset {self._position} of "
            f"partition {self._claim.partition}, which goes on to {self._claim.end_offset}"
        )
        return self._named(KafkaError(KafkaError._TIMED_OUT, told))

    def _named(self, error: KafkaError) -> Exception:
        return named_error(
            self._customer, self._topic, self._config.servers, error, self._reasons[-3:]
        )


def _check_served(broker: Broker, claim: SourceRange, needed: int | None) -> None:
    """Raise unless the broker still has the claimed topic, from the offset `needed` on."""
    topic = topic_of_source(claim.source)
    state = broker.look_at(topic)
    which = f"Customer {broker.customer}: topic {topic}"
    accept = accept_command(broker.customer, topic)
    span = f"offsets {claim.start_offset} to {claim.end_offset} of partition {claim.partition}"
    if state is None or claim.partition not in state.partitions:
        raise TopicMissing(
            f"{which} is gone, and {span} are claimed and not read. If they can't be restored: "
            f"{accept}"
        )
    if state.id != claim.identity:
        raise TopicRecreated(
            f"{which} was made again (its id was {claim.identity} and is {state.id}), and {span} "
            f"of the old one are claimed and not read. To go on without them: {accept}"
        )
    marks = state.partitions[claim.partition]
    if needed is not None and needed < marks.low:
        last = min(marks.low, claim.end_offset)
        raise TopicOffsetsLost(
            f"{which} has lost messages that were claimed and not read: partition "
            f"{claim.partition} from {needed} to {last} (up to {last - needed} messages). "
            f"Retention or delete_records removed them. To go on without them: {accept}"
        )
    if marks.end < claim.end_offset:
        raise OffsetsWentBack(
            f"{which} has gone back: partition {claim.partition} ends at {marks.end}, and "
            f"{claim.end_offset} was claimed. Restore the broker's data and run again."
        )
