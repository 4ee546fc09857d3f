"""Claiming and reading a topic of a real broker: every message once, and no loss unnoticed.

Belongs here: what only a broker can show, without an engine. Does not: decisions alone (`unit/`),
whole runs (`test_kafka_runs.py`).
"""

from collections.abc import Sequence
from threading import Event
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException

from assess_assets.sources import kafka_reading
from assess_assets.sources.kafka_config import KafkaConfig
from assess_assets.sources.kafka_damage import unreadable
from assess_assets.sources.kafka_errors import (
    BrokerUnavailable,
    MessageUnreadable,
    TopicMissing,
    TopicOffsetsLost,
    TopicRecreated,
)
from assess_assets.sources.kafka_losses import losses
from assess_assets.sources.kafka_topic import Broker
from assess_assets.sources.ranges import SourceRange, without
from assess_assets_tests.services.topics import Topic

pytestmark = pytest.mark.services


def spans(ranges: Sequence[SourceRange]) -> list[tuple[int, int, int]]:
    return [(claim.partition, claim.start_offset, claim.end_offset) for claim in ranges]


def values(rows: Sequence[dict[str, Any]]) -> list[bytes | None]:
    return [row["value"] for row in rows]


def accept(topic: Topic, unread: Sequence[SourceRange] = ()) -> list[SourceRange]:
    state = Broker(topic.config, topic.customer).look_at(topic.name)
    found = losses(topic.customer, topic.name, state, topic.claimed, unread, "a test")
    topic.claimed += found
    return found


def test_a_message_that_unpacks_to_more_than_the_client_takes_is_named(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic.send("a")
    producer = topic.producer(compression_type="zstd")
    producer.produce(topic.name, b"a" * 900_000, partition=0)
    assert producer.flush(60) == 0
    claims = topic.claim()
    limits = {"MESSAGE_MAX_BYTES": 20_000, "FETCH_MAX_BYTES": 20_000}
    for name, bytes_ in {**limits, "RECEIVE_MESSAGE_MAX_BYTES": 30_000}.items():
        monkeypatch.setenv(f"ASSESS_KAFKA_CLIENT__{name}", str(bytes_))
    with pytest.raises(
        MessageUnreadable, match="partition 0: the message at offset 1 can't be unp"
    ):
        topic.read(claims)
    (lost,) = unreadable(topic.config, topic.customer, claims, "a test")
    assert spans([lost]) == [(0, 1, 2)]
    monkeypatch.undo()
    assert [len(value or b"") for value in values(topic.read(claims))] == [1, 900_000]


def test_damaged_batches_are_named_at_once_and_each_is_found_alone(topic: Topic) -> None:
    for values_of_a_batch in ("a", "bcde", "f", "gh", "ij", "k"):
        topic.send(*values_of_a_batch, together=True)
    for start in (1, 6, 8):
        topic.damage_batch(start)
    claims = topic.claim()
    with pytest.raises(MessageUnreadable, match=r"at offset 1 can't be read: .* CRC32C .*accept-"):
        topic.read(claims)
    lost = unreadable(topic.config, topic.customer, claims, "a test")
    assert spans(lost) == [(0, 1, 5), (0, 6, 8), (0, 8, 10)]
    assert values(topic.read(without(claims[0], lost))) == [b"a", b"f", b"k"]


def test_a_message_is_kept_with_key_headers_and_time(topic: Topic) -> None:
    headers = [("trace", b"\xff\x00"), ("trace", b"again"), ("empty", None)]
    topic.send(b"\xff\xfe", key=b"a-1", headers=headers, timestamp=1_516_743_757_123)
    topic.send(None, key=b"a-1", timestamp=1)
    topic.send(b"", timestamp=2)
    (claim,) = topic.claim()
    rows = topic.read([claim])
    told = [(r["offset"], r["key"], r["value"], r["timestamp_ms"]) for r in rows]
    assert told == [
        (0, b"a-1", b"\xff\xfe", 1_516_743_757_123),
        (1, b"a-1", None, 1),
        (2, None, b"", 2),
    ]
    assert [(h["key"], h["value"]) for h in rows[0]["headers"]] == headers
    assert rows[1]["headers"] is None
    assert {row["timestamp_type"] for row in rows} == {"create_time"}
    assert {(row["source"], row["partition"]) for row in rows} == {(topic.name, 0)}


def test_a_header_whose_name_is_not_utf8_is_a_defect_of_its_message_alone(topic: Topic) -> None:
    before = [f"{i}" for i in range(200)]  # Python makes a call that is made often shorter
    topic.send(*before)
    topic.send("a", headers=[("trace", b"1")])
    topic.send_with_header(b"a\xffb", b"kept")
    topic.send("c")
    rows = topic.read(topic.claim())[len(before) :]
    assert [(row["value"], row["source_defect"]) for row in rows] == [
        (b"a", None),
        (b"kept", "a name among the message's headers is not UTF-8: none of them can be read"),
        (b"c", None),
    ]
    assert [row["headers"] for row in rows] == [[{"key": "trace", "value": b"1"}], None, None]


def test_the_brokers_own_time_is_told_as_such(topic: Topic) -> None:
    other = Topic(topic.broker, f"{topic.customer}-appended")
    other.create(message_timestamp_type="LogAppendTime")
    other.send("x", timestamp=1)
    (row,) = other.read(other.claim())
    assert row["timestamp_type"] == "log_append_time"
    assert row["timestamp_ms"] > 1


def test_successive_claims_cover_all_partitions_and_read_each_message_once(topic: Topic) -> None:
    other = Topic(topic.broker, f"{topic.customer}-three")
    other.create(partitions=3)
    sent: list[bytes] = []
    found: list[bytes | None] = []
    for run in range(3):
        for partition in range(3):
            new = [f"{run} {partition} {i}".encode() for i in range(4 * partition)]
            other.send(*new, partition=partition)
            sent += new
        while ranges := other.claim(most=5):
            assert sum(claim.messages for claim in ranges) <= 5
            found += values(other.read(ranges))
    assert sorted(filter(None, found)) == sorted(sent)
    assert other.find() == []


def test_a_customer_without_a_topic_has_nothing_new(topic: Topic) -> None:
    assert Topic(topic.broker, "nobody-yet").find() == []


def test_partitions_that_are_described_and_have_no_offsets_yet_are_asked_for_again(
    topic: Topic,
) -> None:
    """As on a cluster, where one broker describes a topic and another one has to know it, too."""

    class MadeAgainMeanwhile(Broker):
        def _measured(self, ids: Any, numbers: Any) -> Any:
            is_first = not told
            if is_first:
                topic.delete()
                while Broker(topic.config, topic.customer).look_at(topic.name):
                    pass
            told.append(super()._measured(ids, numbers)[topic.name])
            if is_first:
                topic.create(partitions=2)
            return {topic.name: told[-1]}

    class OneMoreMeanwhile(Broker):
        def _measured(self, ids: Any, numbers: Any) -> Any:
            told.append(super()._measured(ids, {topic.name: [0, 1, 2]})[topic.name])
            if len(told) == 1:
                topic.add_partition()
            return {topic.name: told[-1]}

    for broker, answer, partitions in (
        (MadeAgainMeanwhile, "Broker: Unknown topic or partition", [0, 1]),
        (OneMoreMeanwhile, "Local: Unknown partition", [0, 1, 2]),
    ):
        told: list[Any] = []
        state = broker(topic.config, topic.customer).look_at(topic.name)
        assert answer in str(told[0])
        assert state is not None
        assert sorted(state.partitions) == partitions


def test_what_a_new_topic_lost_before_is_told_in_the_note(topic: Topic) -> None:
    topic.send(*"abcde")
    topic.delete_records(before=2)
    (claim,) = topic.claim()
    assert spans([claim]) == [(0, 2, 5)]
    assert claim.note == "the topic began at offset 2 when first read"


def test_an_empty_topic_is_claimed_so_that_a_later_loss_is_noticed(topic: Topic) -> None:
    assert spans(topic.claim()) == [(0, 0, 0)]
    topic.send(*"abc")
    topic.delete_records(before=1)
    with pytest.raises(TopicOffsetsLost, match=r"partition 0 from 0 to 1 \(1 offsets\)"):
        topic.find()


def test_messages_deleted_before_they_were_claimed_are_a_named_loss_that_can_be_accepted(
    topic: Topic,
) -> None:
    topic.send(*"ab")
    topic.claim()
    topic.send(*"cdefg")
    topic.delete_records(before=5)
    with pytest.raises(TopicOffsetsLost, match=r"from 2 to 5 \(3 offsets\).*assess accept-loss"):
        topic.find()
    (lost,) = accept(topic)
    assert (lost.kind, spans([lost])) == ("lost", [(0, 2, 5)])
    assert values(topic.read(topic.claim())) == [b"f", b"g"]


def test_messages_deleted_after_they_were_claimed_are_a_named_loss_too(topic: Topic) -> None:
    topic.send(*"abcd")
    (claim,) = topic.claim()
    topic.delete_records(before=3)
    with pytest.raises(TopicOffsetsLost, match="from 0 to 3"):
        topic.read([claim])
    (lost,) = accept(topic, unread=[claim])
    assert spans([lost]) == [(0, 0, 3)]
    assert topic.find() == []


def test_messages_deleted_while_they_are_read_are_noticed(topic: Topic) -> None:
    """The broker then goes on behind the gap without any error."""
    topic.send(*(str(i) * 1000 for i in range(3000)))
    (claim,) = topic.claim()
    few = {**kafka_reading._READING, "queued.min.messages": 1, "fetch.max.bytes": 100_000}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kafka_reading, "_READING", {**few, "message.max.bytes": 100_000})
        batches = kafka_reading.read_batches(topic.config, topic.customer, claim, 20)
        next(batches)
        topic.delete_records(before=2900)
        with pytest.raises(TopicOffsetsLost, match="to 2900"):
            list(batches)


def test_a_client_that_never_ends_is_left_behind(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run stood still for ever as librdkafka waited for itself: seen once, on a busy machine,
    when a client was ended at a message that is damaged."""
    monkeypatch.setattr(kafka_reading, "CLOSING_SECONDS", 0.1)
    monkeypatch.setattr(kafka_reading, "Consumer", NeverEnds)
    topic.send("a")
    topic.send("b")
    (claim,) = topic.claim()
    assert values(topic.read([claim])) == [b"a", b"b"]
    topic.damage_batch(1)
    with pytest.raises(MessageUnreadable, match="offset 1"):
        topic.read([claim])


class NeverEnds(Consumer):
    def close(self) -> None:
        Event().wait()


def test_a_topic_that_was_made_again_is_refused_then_read_under_another_source(
    topic: Topic,
) -> None:
    topic.send(*"abc")
    topic.claim(most=2)
    topic.delete()
    with pytest.raises(TopicMissing, match="0: 2"):
        topic.find()
    topic.create()
    topic.send(*"xyz")
    with pytest.raises(TopicRecreated, match="At least 1 messages of the old one"):
        topic.find()
    old, new = accept(topic)
    assert spans([old, new]) == [(0, 2, 3), (0, 0, 0)]
    rows = topic.read(topic.claim())
    assert values(rows) == [b"x", b"y", b"z"]
    assert {row["source"] for row in rows} == {f"{topic.name}@{new.identity}"}
    assert topic.find() == []


def test_a_topic_that_is_gone_for_good_can_be_let_go(topic: Topic) -> None:
    topic.send(*"abc")
    topic.claim()
    topic.delete()
    assert spans(accept(topic)) == [(0, 3, 3)]
    assert topic.find() == []


def test_a_range_of_a_topic_made_again_is_not_read_from_the_new_one(topic: Topic) -> None:
    topic.send(*"abc")
    (claim,) = topic.claim()
    topic.delete()
    topic.create()
    topic.send(*"xyz")
    with pytest.raises(TopicRecreated, match="offsets 0 to 3 of partition 0"):
        topic.read([claim])


def test_only_committed_messages_are_read_and_their_markers_leave_gaps(topic: Topic) -> None:
    producer = topic.producer(transactional_id=topic.name)
    producer.init_transactions(60)
    for fate, texts in (("commit", "ab"), ("abort", "cd"), ("commit", "e")):
        producer.begin_transaction()
        for text in texts:
            producer.produce(topic.name, text, partition=0)
        assert producer.flush(60) == 0
        (producer.commit_transaction if fate == "commit" else producer.abort_transaction)(60)
    (claim,) = topic.claim()
    rows = topic.read([claim])
    assert claim.messages == 8  # five messages and three markers
    assert [(row["offset"], row["value"]) for row in rows] == [(0, b"a"), (1, b"b"), (6, b"e")]


def test_an_open_transaction_is_not_claimed(topic: Topic) -> None:
    topic.send("before")
    producer = topic.left_open("undecided")
    assert spans(topic.claim()) == [(0, 0, 1)]
    producer.commit_transaction(60)
    assert values(topic.read(topic.claim())) == [b"undecided"]


def test_a_restarted_broker_goes_on_where_it_was(topic: Topic) -> None:
    topic.send(*"abc")
    first = topic.claim(most=2)
    topic.broker.kill()
    with pytest.raises(BrokerUnavailable, match="Nothing was skipped"):
        topic.find()
    topic.broker.start()
    assert values(topic.read(first)) == [b"a", b"b"]
    assert values(topic.read(topic.claim())) == [b"c"]


def test_a_large_message_goes_through_and_one_over_the_limit_is_refused_by_the_producer(
    topic: Topic,
) -> None:
    topic.send(b"x" * 900_000)
    with pytest.raises(KafkaException, match="Message size too large"):
        topic.send(b"x" * 2_000_000)
    assert [len(value or b"") for value in values(topic.read(topic.claim()))] == [900_000]


def test_customers_are_known_from_their_topics(topic: Topic) -> None:
    for name in ("assessments.Not A Key".replace(" ", "-"), f"{topic.name}.2024"):
        odd = Topic(topic.broker, topic.customer)
        odd.__class__ = type("Odd", (Topic,), {"name": name})
        odd.create()
    keys, misnamed = Broker(topic.config, "(all)").customers()
    assert topic.customer in keys
    assert misnamed == ["assessments.Not-A-Key"]
    assert all("." not in key for key in keys)


def test_nobody_there_is_told_within_seconds() -> None:
    nowhere = Broker(KafkaConfig("127.0.0.1:1"), "acme", timeout_seconds=3)
    with pytest.raises(BrokerUnavailable, match=r"127\.0\.0\.1:1.*Connection refused"):
        nowhere.look_at("assessments.acme")
