"""A customer's topic as the broker has it now: its id, and where each partition begins and ends.

Belongs here: topic names, and asking the broker. Does not: what a run claims of it (`kafka`), or
reading messages (`kafka_reading`).
"""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import (
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from assess_assets.customer_names import EVERYBODY, InvalidCustomerKey, require_customer_key
from assess_assets.sources.kafka_config import KafkaConfig
from assess_assets.sources.kafka_errors import as_kafka_error, named_error, refused_settings

PREFIX: Final = "assessments."

_ALL_TOPICS: Final = f"{PREFIX}*"
TIMEOUT_SECONDS: Final = 10.0
# Right after a topic or partition was made or a broker started: gone in a moment. What one broker
# has described another may not know yet, its leader among them; and of partitions whose leader is
# being elected the client says "No leaders found" (_NOENT).
_PASSING: Final = frozenset(
    {
        KafkaError._NOENT,
        KafkaError._UNKNOWN_PARTITION,
        KafkaError._UNKNOWN_TOPIC,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
    }
)
_AGAIN_SECONDS: Final = 0.1
_EARLIEST: Final[OffsetSpec] = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST: Final[OffsetSpec] = OffsetSpec.latest()  # type: ignore[no-untyped-call]


def topic_of(customer: str) -> str:
    """The topic of a customer's messages. Raises InvalidCustomerKey."""
    return PREFIX + require_customer_key(customer)


@dataclass(frozen=True)
class Watermarks:
    """Offsets that the broker serves: from `low` up to, not including, `end`."""

    low: int
    end: int  # the last stable offset: what follows may still be rolled back
    held_back: int = 0  # offsets that follow it, as a transaction before them has not ended


@dataclass(frozen=True)
class TopicState:
    """A topic at one moment. Another topic of the same name has another id."""

    id: str
    partitions: Mapping[int, Watermarks]

    @property
    def held_back(self) -> int:
        return sum(marks.held_back for marks in self.partitions.values())


@dataclass
class Broker:
    """A connection for questions about topics, on behalf of one customer or of EVERYBODY.

    For so many `silent_seconds` after nobody answered, whoever asks next is told so at once.
    """

    config: KafkaConfig
    customer: str
    timeout_seconds: float = TIMEOUT_SECONDS
    silent_seconds: float = 0.0
    _silence: KafkaException | None = field(default=None, init=False)
    _silent_until: float = field(default=0.0, init=False)
    # The last few: a resident process asks for months, and what was wrong yesterday says nothing.
    _reasons: deque[KafkaError] = field(default_factory=lambda: deque(maxlen=3))
    _admin: AdminClient = field(init=False)

    def __post_init__(self) -> None:
        settings: Any = {**self.config.client(), "error_cb": self._reasons.append}
        try:
            self._admin = AdminClient(settings)
        except KafkaException as error:
            raise refused_settings(self.config.file, as_kafka_error(error)) from None

    def look_at(self, topic: str) -> TopicState | None:
        """The topic's state, or None if there is none. Raises NotAuthorized, BrokerUnavailable.

        This goes before any reading: to who may not read a topic, the consumer says nothing at all.
        """
        found = self.look_at_all([topic], patience_seconds=self.timeout_seconds)[topic]
        if isinstance(found, Exception):
            raise found
        return found

    def look_at_all(
        self, topics: Sequence[str], patience_seconds: float = 0
    ) -> dict[str, TopicState | Exception | None]:
        """Many topics in four requests, each with its state, None, or the error it alone has.

        When the broker answers nothing at all, that is every topic's error. With patience, a topic
        whose error is gone in a moment is asked about again.
        """
        give_up = time.monotonic() + patience_seconds
        told = self._ask(topics)
        while passing := [topic for topic, one in told.items() if _code(one) in _PASSING]:
            if time.monotonic() >= give_up:
                break
            time.sleep(_AGAIN_SECONDS)
            told |= self._ask(passing)
        found: dict[str, TopicState | Exception | None] = {}
        for topic, one in told.items():
            found[topic] = self.failure(topic, one) if isinstance(one, KafkaException) else one
        return found

    def await_topic(self, topic: str) -> TopicState | None:
        """The state of a topic that was just created: the broker learns of it a little later."""
        give_up = time.monotonic() + self.timeout_seconds
        while (state := self.look_at(topic)) is None and time.monotonic() < give_up:
            time.sleep(_AGAIN_SECONDS)
        return state

    def customers(self) -> tuple[list[str], list[str]]:
        """Customers with a topic of their own; and topics that look like one and are no key's.

        `assessments.acme.2024` is neither: what follows a customer's topic is not ours to read.
        """
        try:
            names = self._admin.list_topics(timeout=self.timeout_seconds).topics
        except KafkaException as error:
            raise self.failure(_ALL_TOPICS, error) from None
        keys, misnamed = [], []
        for name in sorted(name for name in names if name.startswith(PREFIX)):
            key = name.removeprefix(PREFIX)
            try:
                keys.append(require_customer_key(key))
            except InvalidCustomerKey:
                if "." not in key:
                    misnamed.append(name)
        return keys, misnamed

    def failure(self, topic: str, error: KafkaException) -> Exception:
        """The named error for what a client raised; of EVERYBODY, the topic says whose it is."""
        self._admin.poll(0)  # has the callbacks called that say why
        of_many = self.customer == EVERYBODY and topic != _ALL_TOPICS
        customer = topic.removeprefix(PREFIX) if of_many else self.customer
        return named_error(
            customer, topic, self.config.servers, as_kafka_error(error), list(self._reasons)
        )

    @property
    def admin(self) -> AdminClient:
        """The client itself, to create a topic with."""
        return self._admin

    def _ask(self, topics: Sequence[str]) -> dict[str, TopicState | KafkaException | None]:
        """The state of each topic, None if there is none, or what the broker said instead."""
        if self._silence is not None and time.monotonic() < self._silent_until:
            return dict.fromkeys(topics, self._silence)
        if not topics:
            return {}
        described = self._admin.describe_topics(
            TopicCollection(list(topics)), request_timeout=self.timeout_seconds
        )
        found: dict[str, TopicState | KafkaException | None] = {}
        ids: dict[str, str] = {}
        numbers: dict[str, list[int]] = {}
        for topic, future in described.items():
            try:
                one = future.result()
            except KafkaException as error:
                is_missing = _code(error) == KafkaError.UNKNOWN_TOPIC_OR_PART
                found[topic] = None if is_missing else error
                if as_kafka_error(error).code() < 0:  # the client's own word, not a broker's
                    self._silence = error
                    self._silent_until = time.monotonic() + self.silent_seconds
            else:
                ids[topic] = str(one.topic_id)
                numbers[topic] = sorted(partition.id for partition in one.partitions)
        return found | self._measured(ids, numbers)

    def _measured(
        self, ids: Mapping[str, str], numbers: Mapping[str, Sequence[int]]
    ) -> dict[str, TopicState | KafkaException]:
        found: dict[str, TopicState | KafkaException] = {}
        lows = self._offsets_of(numbers, _EARLIEST, IsolationLevel.READ_COMMITTED)
        # Before the stable ones, or what comes between the two would look held back.
        last = self._offsets_of(numbers, _LATEST, IsolationLevel.READ_UNCOMMITTED)
        ends = self._offsets_of(numbers, _LATEST, IsolationLevel.READ_COMMITTED)
        for topic, partitions in numbers.items():
            marks = {}
            try:
                for number in partitions:
                    asked = (of[topic, number].result().offset for of in (lows, last, ends))
                    low, beyond, end = asked
                    marks[number] = Watermarks(low, end, max(0, beyond - end))
            except KafkaException as error:
                found[topic] = error
            else:
                found[topic] = TopicState(ids[topic], marks)
        return found

    def _offsets_of(
        self, numbers: Mapping[str, Sequence[int]], spec: OffsetSpec, isolation: IsolationLevel
    ) -> dict[tuple[str, int], Any]:
        """A future each, by topic and partition."""
        wanted = {
            TopicPartition(topic, number): spec for topic, of in numbers.items() for number in of
        }
        if not wanted:
            return {}
        asked: dict[TopicPartition, Any] = self._admin.list_offsets(
            wanted,
            isolation_level=isolation,
            request_timeout=self.timeout_seconds,
        )
        return {(at.topic, at.partition): future for at, future in asked.items()}


def _code(told: TopicState | KafkaException | None) -> int | None:
    return as_kafka_error(told).code() if isinstance(told, KafkaException) else None
