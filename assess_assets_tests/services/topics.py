"""One customer's topic on a real broker: what producers and operators do to it.

Belongs here: making, filling, cutting and deleting a topic. Does not: how this package reads it,
except for one call that claims and reads, as a run does.
"""

import ctypes
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import confluent_kafka
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

from assess_assets.platform.kafka import KafkaBroker
from assess_assets.sources.kafka import find_new_kafka_ranges
from assess_assets.sources.kafka_config import KafkaConfig
from assess_assets.sources.kafka_reading import read_batches
from assess_assets.sources.kafka_topic import Broker, topic_of
from assess_assets.sources.ranges import SourceRange

MANY = 1_000_000


@dataclass
class Topic:
    """The topic of `customer`, and the ranges that were claimed of it so far."""

    broker: KafkaBroker
    customer: str
    claimed: list[SourceRange] = field(default_factory=list)

    @property
    def name(self) -> str:
        return topic_of(self.customer)

    @property
    def config(self) -> KafkaConfig:
        """The platform's: on a broker that asks, it is the administrator."""
        file = self.broker.settings_file()
        return KafkaConfig(self.broker.bootstrap_servers, str(file) if file else None)

    @cached_property
    def admin(self) -> AdminClient:
        """Kept: what a client was asked fails when the client is collected."""
        return AdminClient({**self.broker.client(), "log_level": 0})

    def create(self, partitions: int = 1, **settings: str) -> None:
        named = {key.replace("_", "."): value for key, value in settings.items()}
        new = NewTopic(self.name, num_partitions=partitions, replication_factor=1, config=named)
        self.admin.create_topics([new])[self.name].result()
        Broker(self.config, self.customer).await_topic(self.name)

    def add_partition(self) -> None:
        (known,) = self.admin.list_topics(self.name, timeout=60).topics.values()
        more = NewPartitions(self.name, len(known.partitions) + 1)
        self.admin.create_partitions([more])[self.name].result()

    def delete(self) -> None:
        self.admin.delete_topics([self.name])[self.name].result()

    def producer(self, **settings: Any) -> Producer:
        named = {key.replace("_", "."): value for key, value in settings.items()}
        return Producer({**self.broker.client(), "log_level": 0, "acks": "all", **named})

    def left_open(self, value: str) -> Producer:
        """The producer of a message in a transaction that has not ended."""
        producer = self.producer(transactional_id=self.name)
        producer.init_transactions(60)
        producer.begin_transaction()
        producer.produce(self.name, value, partition=0)
        assert producer.flush(60) == 0
        return producer

    def send(
        self,
        *values: bytes | str | None,
        partition: int = 0,
        together: bool = False,
        **more: Any,
    ) -> None:
        """Publish messages and wait for the broker; `together`: packed in one batch."""
        producer = self.producer(**({"linger_ms": 1000} if together else {}))
        if together:  # what waits for the topic to be known is handed over one by one
            producer.list_topics(self.name, timeout=60)
        for value in values:
            producer.produce(self.name, value, partition=partition, **more)
        assert producer.flush(60) == 0

    def damage_batch(self, start: int) -> None:
        """Change the last bytes of the batch that starts at this offset, as a bad disk does."""
        (log,) = self.broker.folder.glob(f"**/{self.name}-0/{0:020}.log")
        with log.open("r+b") as file:
            while header := file.read(12):
                first, size = struct.unpack(">qi", header)
                if first == start:
                    file.seek(size - 3, os.SEEK_CUR)
                    file.write(b"\x00\x01\x02")
                    return
                file.seek(size, os.SEEK_CUR)
        raise ValueError(f"no batch starts at {start}")

    def send_with_header(self, name: bytes, value: bytes) -> None:
        """Publish a message whose header has any name, as only the C client's producer lets one."""
        (file,) = Path(confluent_kafka.__file__).parents[1].glob("confluent_kafka.libs/librdkafka*")
        client = ctypes.CDLL(str(file))
        for call in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_headers_new"):
            getattr(client, call).restype = ctypes.c_void_p
        told = ctypes.create_string_buffer(512)
        settings = ctypes.c_void_p(client.rd_kafka_conf_new())
        servers = self.broker.bootstrap_servers.encode()
        client.rd_kafka_conf_set(settings, b"bootstrap.servers", servers, told, 512)
        producer = ctypes.c_void_p(client.rd_kafka_new(0, settings, told, 512))
        headers = ctypes.c_void_p(client.rd_kafka_headers_new(1))
        client.rd_kafka_header_add(headers, name, len(name), b"x", 1)
        # A number that says what follows, each: topic, partition, to copy, value, headers.
        topic, size = self.name.encode(), ctypes.c_size_t(len(value))
        message = (1, topic, 3, 0, 7, 2, 4, value, size, 10, headers, 0)
        assert client.rd_kafka_producev(producer, *message) == 0
        assert client.rd_kafka_flush(producer, 60_000) == 0
        client.rd_kafka_destroy(producer)

    def send_in_transactions(self, value: str, committed: Sequence[bool]) -> None:
        """The value once a transaction, committed or aborted: each leaves a marker behind it."""
        producer = self.producer(transactional_id=self.name)
        producer.init_transactions(60)
        for is_kept in committed:
            producer.begin_transaction()
            producer.produce(self.name, value, partition=0)
            assert producer.flush(60) == 0
            (producer.commit_transaction if is_kept else producer.abort_transaction)(60)

    def delete_records(self, before: int, partition: int = 0) -> None:
        (done,) = self.admin.delete_records([TopicPartition(self.name, partition, before)]).values()
        assert done.result().low_watermark == before

    def find(self, most: int = MANY) -> list[SourceRange]:
        broker = Broker(self.config, self.customer)
        return find_new_kafka_ranges(self.customer, self.name, self.claimed, most, broker)

    def claim(self, most: int = MANY) -> list[SourceRange]:
        found = self.find(most)
        self.claimed += found
        return found

    def read(self, ranges: Sequence[SourceRange]) -> list[dict[str, Any]]:
        return [row for claim in ranges for row in self.rows(claim)]

    def rows(self, claim: SourceRange, stalled_seconds: float = 20) -> list[dict[str, Any]]:
        batches = read_batches(self.config, self.customer, claim, stalled_seconds)
        return [row for batch in batches for row in batch.to_pylist()]
