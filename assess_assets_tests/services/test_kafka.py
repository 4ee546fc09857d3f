"""The broker: what was acknowledged is served again, after a stop and after a crash."""

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from assess_assets.platform.errors import ServiceFailed
from assess_assets.platform.kafka import KafkaBroker

pytestmark = pytest.mark.services


def produce(kafka: KafkaBroker, topic: str, *values: bytes) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "acks": "all"})
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(60) == 0


def served(kafka: KafkaBroker, topic: str) -> list[tuple[int, bytes | None]]:
    """Offset and value of every message, from the first to the end offset."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": "unused"})
    try:
        partition = TopicPartition(topic, 0)
        _, end = consumer.get_watermark_offsets(partition, timeout=30)
        consumer.assign([TopicPartition(topic, 0, 0)])
        found = consumer.consume(end, timeout=30)
        assert all(message.error() is None for message in found)
        return [(message.offset() or 0, message.value()) for message in found]
    finally:
        consumer.close()


def make_topic(kafka: KafkaBroker, topic: str) -> None:
    client = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    client.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)


def test_a_message_that_was_produced_is_consumed(kafka: KafkaBroker) -> None:
    make_topic(kafka, "assessments.acme")
    produce(kafka, "assessments.acme", b"one")
    assert served(kafka, "assessments.acme") == [(0, b"one")]


def test_a_topic_that_nobody_made_is_not_made_by_writing_to_it(kafka: KafkaBroker) -> None:
    client = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    assert (
        client.list_topics("assessments.nobody", timeout=30).topics["assessments.nobody"].error
        is not None
    )


def test_messages_survive_a_stop_and_a_crash_on_the_same_address(kafka: KafkaBroker) -> None:
    make_topic(kafka, "assessments.globex")
    produce(kafka, "assessments.globex", b"before")
    address = kafka.bootstrap_servers
    assert kafka.stop()
    assert kafka.service.left() == []
    assert kafka.start()
    produce(kafka, "assessments.globex", b"between")
    kafka.kill()
    assert kafka.service.pid is None
    with pytest.raises(ServiceFailed, match="not running"):
        kafka.kill()
    assert KafkaBroker(kafka.folder).start(), "by an object that didn't start the first one"
    assert not kafka.start(), "it runs"
    assert kafka.bootstrap_servers == address
    expected = [(0, b"before"), (1, b"between")]
    assert served(kafka, "assessments.globex") == expected
