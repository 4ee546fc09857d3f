"""`assess follow` on a real topic: the same rounds as on landed files, with offsets for files."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from pyspark.sql import SparkSession

from assess_assets.cli.following import Follower
from assess_assets.sources.kafka_topic import Broker, topic_of
from assess_assets_tests.conftest import ENGINE
from assess_assets_tests.deliveries import message, text
from assess_assets_tests.services.topics import Topic
from assess_assets_tests.steps import rows_of

pytestmark = pytest.mark.services


@pytest.fixture
def follower(
    topic: Topic, tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Follower]:
    """Of the topic's customer alone."""
    monkeypatch.setenv("ASSESS_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("ASSESS_LANDING", str(tmp_path / "landing"))
    monkeypatch.setenv("ASSESS_KAFKA", topic.broker.bootstrap_servers)
    monkeypatch.setenv("ASSESS_SPARK", ENGINE)
    with dg.DagsterInstance.ephemeral() as instance:
        made = Follower(instance, frozenset({topic.customer}), lambda _: None)
        made.open()
        yield made


def test_a_topic_is_followed_offset_by_offset(
    follower: Follower, topic: Topic, tmp_path: Path
) -> None:
    topic.send(text(message("a")), text(message("b")))
    assert len(follower.round()) == 1
    assert follower.round() == []
    topic.send(text(message("c")))
    assert len(follower.round()) == 1
    assert follower.round() == []
    lake = tmp_path / "lake" / topic.customer
    ledger = rows_of(str(lake / "message_ledger"), "message_ledger", "offset", "fate")
    assert [tuple(row.values()) for row in ledger] == [(n, "accepted") for n in range(3)]
    assert follower.instance.get_dynamic_partitions("customers") == [topic.customer]
    topic.delete()
    assert len(follower.round()) == 1  # recorded: the run says what is lost
    assert follower.failing == {topic.customer: 1}


def test_many_topics_are_looked_at_together(topic: Topic) -> None:
    topic.send("a", "b")
    missing = topic_of("nobody-has-this-topic")
    broker = Broker(topic.config, "(all)")
    found = broker.look_at_all([topic.name, missing])
    assert found == {topic.name: broker.look_at(topic.name), missing: None}
