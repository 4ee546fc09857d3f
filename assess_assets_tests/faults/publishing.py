"""A producer that keeps every delivery report, and what it is held against: the log, and the lake.

Belongs here: acknowledged, unknown, lost and repeated messages. Does not: the rest of the tables,
which `watching` compares.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from assess_assets.sources.kafka_config import KafkaConfig
from assess_assets.sources.kafka_publishing import ensure_topic, send_all
from assess_assets.sources.kafka_topic import Broker, topic_of
from assess_assets.sources.landing_elements import Record

Placed = tuple[int, int, bytes]  # partition, offset and value of a message
PATIENCE_SECONDS = 30.0


class Publisher:
    """Sends one customer's messages as `assess publish` does.

    `acknowledged` is what a delivery report has placed. `unknown` was sent, and no report said
    that it is there: it may be.
    """

    def __init__(self, config: KafkaConfig, customer: str, partitions: int = 2) -> None:
        self.config = config
        self.customer = customer
        self.topic = topic_of(customer)
        self.partitions = ensure_topic(Broker(config, customer), partitions)
        self.acknowledged: Counter[Placed] = Counter()
        self.unknown: Counter[bytes] = Counter()

    def publish(self, messages: Iterable[str]) -> None:
        """Returns when every message has been answered for."""
        sent: list[bytes] = []
        answered: set[int] = set()

        def records() -> Iterator[Record]:
            for message in messages:
                sent.append(message.encode())
                yield Record(sent[-1])

        def acknowledged(index: int, report: Message) -> None:
            partition, offset = report.partition(), report.offset()
            assert partition is not None
            assert offset is not None
            answered.add(index)
            self.acknowledged[partition, offset, sent[index]] += 1

        send_all(self.config, self.customer, records(), lambda done: None, acknowledged)
        self.unknown.update(value for index, value in enumerate(sent) if index not in answered)

    @contextmanager
    def publishing(self, messages: Iterator[str], every_seconds: float) -> Iterator[None]:
        """One after the other in the background; at the end all have been answered for."""
        stop, failed = Event(), []

        def some() -> Iterator[str]:
            while not stop.wait(every_seconds):
                yield next(messages)

        def send() -> None:
            try:
                self.publish(some())
            except BaseException as error:
                failed.append(error)

        thread = Thread(target=send, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        if failed:
            raise failed[0]

    def log(self) -> dict[tuple[str, int], list[str]]:
        """What is in the topic, each partition from its first message to its last."""
        settings = {
            "group.id": "nobody",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 10,  # how long the broker waits before it says that this is all
        }
        consumer = Consumer({**self.config.client(), **settings})
        try:
            return {
                (self.topic, number): list(_read(consumer, TopicPartition(self.topic, number, 0)))
                for number in range(self.partitions)
            }
        finally:
            consumer.close()


def _read(consumer: Consumer, start: TopicPartition) -> Iterator[str]:
    consumer.assign([start])
    for offset in range(1_000_000):
        message = consumer.poll(PATIENCE_SECONDS)
        assert message is not None, f"{start.topic}: nothing comes after {offset} messages"
        error = message.error()
        if error is not None:
            assert error.code() == KafkaError._PARTITION_EOF, str(error)
            return
        assert message.offset() == offset, f"{start.topic}: {message.offset()}, not {offset}"
        yield (message.value() or b"").decode()


def lost_and_repeated(
    acknowledged: Counter[Placed], unknown: Counter[bytes], stored: Iterable[Placed]
) -> tuple[int, int]:
    """Every acknowledged message is stored once, where it was placed; an unknown one at most once.

    What else is stored counts as repeated: nobody has sent it (again).
    """
    there = Counter(stored)
    again = there.total() - len(there)
    unasked = Counter(value for _, _, value in there.keys() - acknowledged.keys()) - unknown
    return (acknowledged - there).total(), again + unasked.total()
