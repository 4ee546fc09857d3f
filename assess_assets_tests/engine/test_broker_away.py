"""A deployment whose broker does not answer: who has only a landing folder does not need it.

Belongs here: runs, rounds, ticks and commands meanwhile. Does not: a broker that answers
(`services/`), so nothing but a closed port is needed.
"""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import pytest
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from assess_assets.automation.sensor import new_messages
from assess_assets.cli.app import app
from assess_assets.cli.following import Follower
from assess_assets.customer_names import EVERYBODY
from assess_assets.resources.lake import LakeResource
from assess_assets.resources.spark import SparkEngine
from assess_assets.sources.kafka import topic_range
from assess_assets.sources.kafka_config import KafkaConfig
from assess_assets.sources.kafka_errors import BrokerUnavailable
from assess_assets.sources.kafka_topic import Broker, TopicState, Watermarks, topic_of
from assess_assets.storage.claims import claim_batch, claimed_batches
from assess_assets.tables.ingest import SOURCE_RANGES
from assess_assets_tests.conftest import ENGINE, Platform
from assess_assets_tests.deliveries import lines, message

NOBODY_ANSWERS = "127.0.0.1:1"
READ = ["source_ranges", "raw_messages"]


@pytest.fixture
def away(
    tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Platform]:
    """acme's messages come in files; globex had a topic before, and has a file now."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    for name in ("lake", "landing"):
        monkeypatch.setenv(f"ASSESS_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("ASSESS_SPARK", ENGINE)
    monkeypatch.setenv("ASSESS_KAFKA", NOBODY_ANSWERS)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    with dg.DagsterInstance.get() as instance:
        platform = Platform(tmp_path, instance)
        platform.with_settings(kafka=NOBODY_ANSWERS)
        for customer in ("acme", "globex"):
            platform.land(customer, "a.ndjson", lines(message("a")))
        claims = platform.lake.pin(SOURCE_RANGES, "globex")
        known = TopicState("id", {0: Watermarks(0, 0)})
        claimed = [topic_range(topic_of("globex"), 0, (0, 0), known)]
        claim_batch(claims, claimed_batches(claims), claimed, platform.lake.now(), "run")
        yield platform


def assert_acme_alone_was_read(away: Platform) -> None:
    assert [row["source"] for row in away.rows("raw_messages", "acme")] == ["a.ndjson"]
    assert away.rows("raw_messages", "globex") == []


def test_a_run_reads_the_files_of_who_has_only_a_folder_and_says_so(
    away: Platform, capfd: pytest.CaptureFixture[str]
) -> None:
    assert away.materialize("acme", select=READ).success
    told = capfd.readouterr().err
    assert "Only files are read, as all of this customer's messages came in files." in told
    assert f"Customer acme: Kafka at {NOBODY_ANSWERS} does not serve topic assessments.acme" in told
    with pytest.raises(BrokerUnavailable, match=r"^Customer globex: Kafka at"):
        away.materialize("globex", select=READ)
    assert_acme_alone_was_read(away)


def test_customers_of_one_run_wait_for_the_broker_once() -> None:
    broker = Broker(KafkaConfig(NOBODY_ANSWERS), EVERYBODY, timeout_seconds=2, silent_seconds=60)
    took = {}
    for customer in ("acme", "globex"):
        began = time.monotonic()
        with pytest.raises(BrokerUnavailable, match=f"^Customer {customer}: Kafka at"):
            broker.look_at(topic_of(customer))
        took[customer] = time.monotonic() - began
    assert took["acme"] > 1.5
    assert took["globex"] < 0.5


def test_whose_messages_can_only_come_by_a_topic_is_not_called_up_to_date(away: Platform) -> None:
    away.register("initech")
    with pytest.raises(BrokerUnavailable, match=r"^Customer initech: Kafka at"):
        away.materialize("initech", select=READ)


def test_a_round_serves_the_folders_and_lets_the_others_wait(away: Platform) -> None:
    said: list[str] = []
    follower = Follower(away.instance, frozenset(), said.append)
    with ThreadPoolExecutor(1) as thread:  # not the main one, where Dagster takes signals
        thread.submit(follower.open).result()
        runs = [thread.submit(follower.round).result() for _ in range(2)]
    assert list(map(len, runs)) == [1, 0]
    assert follower.is_blind
    assert follower.failing == {}  # so globex is looked at again at once, when the broker is back
    assert "globex waits for the broker, as its messages come by a topic." in said
    assert any(told.startswith("acme: 1 files; run ") for told in said)
    assert_acme_alone_was_read(away)


def test_a_tick_requests_runs_for_the_folders(
    away: Platform, capfd: pytest.CaptureFixture[str]
) -> None:
    """And says once what is the matter, however many customers wait for it."""
    resource = LakeResource.from_settings(away.settings, SparkEngine(url=ENGINE))
    cursor, ticks = None, []
    for _ in range(2):
        with dg.build_sensor_context(away.instance, cursor, resources={"lake": resource}) as at:
            result = new_messages(at)
        assert isinstance(result, dg.SensorResult)
        cursor = result.cursor
        ticks.append(([one.partition_key for one in result.run_requests or ()], result.skip_reason))
        told = capfd.readouterr().err
        assert told.count(f"Kafka at {NOBODY_ANSWERS}") == 1
        assert "Only landing folders are looked at, and 1 customers with a topic wait: " in told
    (requested, _), (again, why) = ticks
    assert (requested, again) == (["acme"], [])
    assert "Only landing folders are looked at" in str(why)


def test_folders_are_registered_and_that_topics_are_not_known_is_the_exit_code(
    away: Platform,
) -> None:
    (away.settings.landing / "hooli").mkdir()
    result = CliRunner().invoke(app, ["customers", "sync"], env=dict(os.environ))
    assert result.exit_code == 1
    assert "Registered hooli" in result.stdout
    assert "assess: Who has a topic is not known, and was not registered. " in result.stderr
    assert "hooli" in away.instance.get_dynamic_partitions("customers")
