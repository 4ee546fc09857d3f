"""Sending the records of a file to a customer's topic, each as one message keyed by its attempt.

Belongs here: producing, and what the broker has acknowledged. Does not: which records a file has
(`landing_formats`), or how progress is shown (`cli/`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.cimpl import NewTopic

from assess_assets.sources.kafka_config import KafkaConfig
from assess_assets.sources.kafka_errors import as_kafka_error
from assess_assets.sources.kafka_topic import Broker, topic_of
from assess_assets.sources.landing_elements import Record

_PRODUCING: Final = {
    "acks": "all",
    "enable.idempotence": True,
    "linger.ms": 20,
    "compression.type": "lz4",
    "partitioner": "murmur2_random",  # where Java's producers put the same key
    "message.timeout.ms": 120_000,
}
_LAST_ANSWERS_SECONDS: Final = 5.0  # for what was on its way when somebody interrupts
_TOLD: Final = 5  # failures that are told one by one


class _Keyed(msgspec.Struct):
    user_exam_id: str


_DECODER: Final = msgspec.json.Decoder(_Keyed)


@dataclass
class Published:
    """How sending went: every record is acknowledged or has failed."""

    topic: str
    records: int = 0
    acknowledged: int = 0
    failed: int = 0
    failures: list[str] = field(default_factory=list)  # the first few, for people

    def fail(self, index: int, reason: str) -> None:
        self.failed += 1
        if len(self.failures) < _TOLD:
            self.failures.append(f"record {index}: {reason}")


def ensure_topic(broker: Broker, partitions: int | None) -> int:
    """Create the customer's topic if there is none; how many partitions it has."""
    topic = topic_of(broker.customer)
    state = broker.look_at(topic)
    if state is None:
        new = NewTopic(topic, num_partitions=partitions or -1, replication_factor=-1)
        try:
            broker.admin.create_topics([new])[topic].result()
        except KafkaException as error:
            if as_kafka_error(error).code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise broker.failure(topic, error) from None
        state = broker.await_topic(topic)
    return len(state.partitions) if state else partitions or 0


def send_all(
    config: KafkaConfig,
    customer: str,
    records: Iterable[Record],
    told: Callable[[Published], Any],
    acknowledged: Callable[[int, Message], Any] = lambda index, message: None,
) -> Published:
    """Send every record and wait until the broker has answered for each.

    `acknowledged` is told where each record is. One whose file was broken there is not sent:
    without the file nobody could tell why. Interrupted, it waits a moment for the answers that are
    under way, tells them, and sends no more.
    """
    done = Published(topic_of(customer))
    producer = Producer({**config.client(), **_PRODUCING})
    try:
        for index, record in enumerate(records):
            done.records += 1
            if record.defect is not None:
                done.fail(index, f"not sent: {record.defect}")
            else:
                _send(producer, done, index, record.value, acknowledged)
            if index % 500 == 0:
                told(done)
        while len(producer):
            producer.flush(0.2)
            told(done)
    except KeyboardInterrupt:
        producer.flush(_LAST_ANSWERS_SECONDS)
        raise
    finally:
        told(done)
    return done


def attempt_key(value: bytes) -> bytes | None:
    """The attempt's id, so that an attempt's messages keep their order; None if it has none."""
    try:
        return _DECODER.decode(value).user_exam_id.encode()
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _send(
    producer: Producer,
    done: Published,
    index: int,
    value: bytes,
    acknowledged: Callable[[int, Message], Any],
) -> None:
    def answered(error: KafkaError | None, message: Message) -> None:
        if error is None:
            done.acknowledged += 1
            acknowledged(index, message)
        else:
            done.fail(index, _reason(error, value))

    while True:
        try:
            producer.produce(done.topic, value, attempt_key(value), on_delivery=answered)
        except BufferError:  # full: wait for answers
            producer.poll(0.1)
        except KafkaException as error:
            done.fail(index, _reason(as_kafka_error(error), value))
            return
        else:
            producer.poll(0)
            return


def _reason(error: KafkaError, value: bytes) -> str:
    if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
        return (
            f"{len(value):,} bytes are over the size limit. Raise message.max.bytes in the file "
            "that ASSESS_KAFKA_CONFIG names, and max.message.bytes of the topic"
        )
    return str(error.str())
