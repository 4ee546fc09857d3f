"""Whole runs that read a real topic: Dagster, the engine and the lake, beside landed files.

Belongs here: what comes out of a run. Does not: each way a topic can misbehave
(`test_kafka_reading.py`).
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from confluent_kafka.cimpl import NewTopic
from pyspark.sql import SparkSession
from typer.testing import CliRunner, Result

from assess_assets.assets.assessment_topic import assessment_topic
from assess_assets.assets.raw_messages import land_customer
from assess_assets.cli.app import app
from assess_assets.cli.source_findings import kafka_finding
from assess_assets.platform.kafka import KafkaBroker
from assess_assets.resources.lake import LakeResource
from assess_assets.resources.spark import SparkEngine
from assess_assets.sample.sample import sample_records
from assess_assets.sources import kafka_publishing
from assess_assets.storage.lake import Replacement
from assess_assets_tests.conftest import ENGINE, Platform
from assess_assets_tests.deliveries import FATES, lines, message, of_every_fate, text
from assess_assets_tests.observing import observe_source
from assess_assets_tests.services.topics import Topic

pytestmark = pytest.mark.services

Assess = Callable[..., Result]
SHARED = ("exam_counts", "exam_performance", "exams", "question_difficulty")
READ = ["source_ranges", "raw_messages"]
PARSED = [
    *READ,
    *("builds", "assessments", "quarantined_messages", "conflicting_assessments", "message_ledger"),
]
TABLES = [*PARSED, "questions", "options", *SHARED]
CLAIM = ("batch", "partition", "start_offset", "end_offset", "run_id", "claimed_at")
SOURCE = ("source", "kind")
_NUMBERS = count(1)


@pytest.fixture
def deployed(
    kafka: KafkaBroker, tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Platform]:
    """An empty platform with a broker, also for the commands."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ASSESS_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("ASSESS_LANDING", str(tmp_path / "landing"))
    monkeypatch.setenv("ASSESS_KAFKA", kafka.bootstrap_servers)
    with dg.DagsterInstance.get() as instance:
        platform = Platform(tmp_path, instance)
        platform.with_settings(kafka=kafka.bootstrap_servers)
        yield platform


@pytest.fixture
def customer(deployed: Platform) -> str:
    """A registered customer of this test alone."""
    key = f"reader-{next(_NUMBERS)}"
    deployed.register(key)
    return key


@pytest.fixture
def assess(deployed: Platform) -> Assess:
    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments])


def rows(platform: Platform, table: str, customer: str, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in platform.rows(table, customer, *columns)]


def assert_nothing_is_new(deployed: Platform, customer: str, select: list[str] = PARSED) -> None:
    """Another run writes no version of any table."""
    versions = deployed.versions(customer)
    assert deployed.materialize(customer, select=select).success
    assert deployed.versions(customer) == versions


def test_the_published_sample_has_the_answers_of_the_landed_one(
    deployed: Platform, assess: Assess, customer: str
) -> None:
    file = deployed.land("landed", "attempts.json", lines(*sample_records()))
    published = assess("publish", file, "--customer", customer, "--partitions", 3)
    assert published.exit_code == 0, published.output
    assert f"3280 of 3280 messages acknowledged in assessments.{customer} (3 " in published.stdout
    for each in ("landed", customer):
        assert deployed.materialize(each, select=TABLES).success
    counted = rows(deployed, "message_ledger", customer, "fate")
    assert len(counted) == 3280
    assert sum(fate == ("accepted",) for fate in counted) == 3242
    for table in SHARED:
        assert _rounded(deployed, table, customer) == _rounded(deployed, table, "landed"), table

    assert_nothing_is_new(deployed, customer, select=TABLES)


def test_files_and_topic_feed_one_customer_in_one_batch(
    deployed: Platform, kafka: KafkaBroker, customer: str
) -> None:
    topic = Topic(kafka, customer)
    topic.create()
    fine = [message(f"fine {number}") for number in range(12)]  # or quarantined are too many
    topic.send(*(text(each) for each in [*of_every_fate(), *fine]), None)
    deployed.land(customer, "same.ndjson", lines(*of_every_fate()))
    assert deployed.materialize(customer, select=PARSED).success
    claims = rows(deployed, "source_ranges", customer, "batch", "source", "end_offset")
    assert claims == [(1, topic.name, 21), (1, "same.ndjson", 8)]
    told = rows(deployed, "message_ledger", customer, "source", "fate")
    assert [fate for source, fate in told if source == topic.name] == [
        *FATES,
        *["accepted"] * 12,
        "quarantined",
    ]
    of_file = [fate for source, fate in told if source == "same.ndjson"]
    assert of_file == ["quarantined" if fate == "quarantined" else "duplicate" for fate in FATES]


def test_raw_messages_keep_key_headers_times_and_bytes(
    deployed: Platform, kafka: KafkaBroker, customer: str
) -> None:
    topic = Topic(kafka, customer)
    topic.create()
    headers = [("trace", b"\xff"), ("trace", None)]
    topic.send(b"\xff\xfe", key=b"k", headers=headers, timestamp=1_516_743_757_123)
    topic.send(None, key=b"k", timestamp=0)
    assert deployed.materialize(customer, select=READ).success
    columns = ("offset", "key", "value", "headers", "timestamp_type")
    found = rows(deployed, "raw_messages", customer, *columns)
    plain = [
        (at, bytes(key), value and bytes(value), told, kind) for at, key, value, told, kind in found
    ]
    pairs = [{"key": "trace", "value": b"\xff"}, {"key": "trace", "value": None}]
    assert plain == [
        (0, b"k", b"\xff\xfe", pairs, "create_time"),
        (1, b"k", None, None, "create_time"),
    ]
    times = [at.timestamp() for (at,) in rows(deployed, "raw_messages", customer, "timestamp")]
    assert times[0] == pytest.approx(1_516_743_757.123)
    shown = json.loads(
        CliRunner().invoke(app, ["show", "raw_messages", "-c", customer, "--json"]).stdout
    )
    assert shown[0]["headers"][1] == {"key": "trace", "value": None}


def test_batches_are_bounded_and_give_what_one_batch_gives(
    deployed: Platform, kafka: KafkaBroker, customer: str
) -> None:
    topic = Topic(kafka, customer)
    topic.create(partitions=2)
    for number in range(10):
        topic.send(text(message(f"a{number}")), partition=number % 2)
    deployed.with_settings(max_messages_per_run=3)
    for _ in range(5):
        assert deployed.materialize(customer, select=PARSED).success
    claims = rows(deployed, "source_ranges", customer, "batch", "start_offset", "end_offset")
    assert max(batch for batch, _, _ in claims) == 4
    assert sum(end - start for _, start, end in claims) == 10
    assert rows(deployed, "message_ledger", customer, "fate") == [("accepted",)] * 10


@pytest.mark.parametrize("most", [1, 3])
@pytest.mark.parametrize("is_whole", [False, True])
def test_files_that_keep_coming_and_a_busy_topic_take_turns(
    deployed: Platform, kafka: KafkaBroker, customer: str, most: int, is_whole: bool
) -> None:
    topic = Topic(kafka, customer)
    topic.create()
    topic.send(*(text(message(f"published {number}")) for number in range(20)))
    deployed.with_settings(max_messages_per_run=most)
    for number in range(6):
        few = [message(f"landed {number} {each}") for each in range(4)]
        form = json.dumps(few) if is_whole else lines(*few)
        deployed.land(customer, f"{number}.json", form)
        assert deployed.materialize(customer, select=READ).success
    claims = rows(deployed, "source_ranges", customer, "batch", "source", "messages")
    batches = {batch for batch, source, count in claims if source == topic.name and count}
    assert batches == {2, 4, 6}
    assert {batch for batch, source, _ in claims if source != topic.name} == {1, 3, 5}


def test_an_aborted_transaction_leaves_gaps_and_the_balance_holds_on_what_was_served(
    deployed: Platform, kafka: KafkaBroker, assess: Assess, customer: str
) -> None:
    topic = Topic(kafka, customer)
    topic.create()
    topic.send_in_transactions(text(message("a")), committed=[False, True])
    assert deployed.materialize(customer, select=PARSED).success  # with their checks
    assert rows(deployed, "message_ledger", customer, "offset", "fate") == [(2, "accepted")]
    (batch,) = json.loads(assess("history", "-c", customer, "--json").stdout)["batches"]
    (told,) = batch["ranges"]
    assert (told["start_offset"], told["end_offset"], told["messages"]) == (0, 4, 1)
    served = ("start_offset", "end_offset", "messages")
    assert rows(deployed, "source_ranges", customer, *served) == [(0, 4, 1)]
    assert_nothing_is_new(deployed, customer)


def test_a_topic_of_nothing_but_aborted_transactions_is_read_once(
    deployed: Platform, kafka: KafkaBroker, customer: str
) -> None:
    topic = Topic(kafka, customer)
    topic.create()
    topic.send_in_transactions(text(message("a")), committed=[False])
    assert deployed.materialize(customer, select=PARSED).success
    assert rows(deployed, "source_ranges", customer, "end_offset", "messages") == [(2, 0)]
    assert_nothing_is_new(deployed, customer)


def test_a_run_that_crashed_after_its_claim_is_finished_by_the_next_one(
    deployed: Platform, kafka: KafkaBroker, assess: Assess, customer: str
) -> None:
    topic = Topic(kafka, customer)
    topic.create(partitions=2)
    for partition in range(2):
        topic.send(*(text(message(f"{partition} {n}")) for n in range(3)), partition=partition)
    resource = LakeResource.from_settings(deployed.settings, SparkEngine(url=ENGINE))
    crashed = land_customer(deployed.lake, resource.sources_of(customer), 4, "crashed")
    assert crashed.messages.frame is not None, "claimed, and never written"
    (batch,) = json.loads(assess("history", "-c", customer, "--json").stdout)["batches"]
    assert [claim["messages"] for claim in batch["ranges"]] == [None, None]
    claims = rows(deployed, "source_ranges", customer, *CLAIM)
    assert rows(deployed, "raw_messages", customer, "offset") == []

    topic.send(text(message("later")), partition=0)
    assert deployed.materialize(customer, select=PARSED).success  # with their checks
    assert rows(deployed, "source_ranges", customer, *CLAIM)[:2] == claims
    read = rows(deployed, "raw_messages", customer, "batch", "partition", "offset")
    expected = [(1, 0, 0), (1, 0, 1), (1, 1, 0), (1, 1, 1), (2, 0, 2), (2, 0, 3), (2, 1, 2)]
    assert read == expected
    fates = rows(deployed, "message_ledger", customer, "batch", "partition", "offset", "fate")
    assert fates == [(*at, "accepted") for at in expected]


def test_messages_that_a_crashed_run_had_landed_and_not_counted_are_counted_by_the_next_one(
    deployed: Platform, kafka: KafkaBroker, customer: str
) -> None:
    topic = Topic(kafka, customer)
    topic.create()
    topic.send(*(text(message(each)) for each in "abc"))
    resource = LakeResource.from_settings(deployed.settings, SparkEngine(url=ENGINE))
    crashed = land_customer(deployed.lake, resource.sources_of(customer), 10, "crashed").messages
    Replacement(crashed.target, crashed.frame, crashed.bounds).commit({})
    assert rows(deployed, "source_ranges", customer, "end_offset", "messages") == [(3, None)]
    assert deployed.materialize(customer, select=PARSED).success
    assert rows(deployed, "source_ranges", customer, "end_offset", "messages") == [(3, 3)]


def test_what_a_crashed_run_had_claimed_and_the_topic_lost_since_can_be_accepted(
    deployed: Platform, kafka: KafkaBroker, assess: Assess, customer: str
) -> None:
    topic = Topic(kafka, customer)
    topic.create()
    topic.send(*(text(message(each)) for each in "abcd"))
    resource = LakeResource.from_settings(deployed.settings, SparkEngine(url=ENGINE))
    land_customer(deployed.lake, resource.sources_of(customer), 3, "crashed")
    topic.delete_records(before=2)
    failed = deployed.materialize(customer, select=READ, raise_on_error=False)
    assert "partition 0 from 0 to 2 (up to 2 messages)" in str(failed.all_events)
    loss = ("accept-loss", "-c", customer, "--source", topic.name, "--reason", "retention", "--yes")
    assert assess(*loss).exit_code == 0
    assert deployed.materialize(customer, select=PARSED).success
    told = rows(deployed, "message_ledger", customer, "batch", "offset", "fate")
    assert told == [(1, 2, "accepted"), (3, 3, "accepted")]
    history = json.loads(assess("history", "-c", customer, "--json").stdout)["batches"]
    kinds = [(c["kind"], c["messages"]) for batch in history for c in batch["ranges"]]
    assert kinds == [("read", 1), ("lost", 0), ("read", 1)]


def test_messages_that_nobody_can_read_are_given_up_alone_and_the_rest_of_their_batch_is_landed(
    deployed: Platform, kafka: KafkaBroker, assess: Assess, customer: str
) -> None:
    topic = Topic(kafka, customer)
    topic.create()
    for together in ("a", "bc", "de"):
        topic.send(*(text(message(each)) for each in together), together=True)
    topic.damage_batch(1)
    failed = deployed.materialize(customer, select=READ, raise_on_error=False)
    assert "MessageSet at offset 1 " in str(failed.all_events)
    loss = ("accept-loss", "-c", customer, "--source", topic.name, "--reason", "a bad disk")
    assert "partition 0: 2 offsets, 1 to 3, are given up." in assess(*loss).stdout
    assert assess(*loss, "--yes").exit_code == 0
    assert "There is no loss to accept." in assess(*loss, "--yes").stderr
    assert deployed.materialize(customer, select=PARSED).success  # with their checks
    claims = rows(deployed, "source_ranges", customer, "batch", "start_offset", "messages", "kind")
    assert claims == [(1, 0, 3, "read"), (2, 1, 0, "lost")]
    told = rows(deployed, "message_ledger", customer, "batch", "offset", "fate")
    assert told == [(1, 0, "accepted"), (1, 3, "accepted"), (1, 4, "accepted")]
    assert_nothing_is_new(deployed, customer)


def test_a_topic_that_was_read_and_has_no_broker_named_any_more_is_warned_of(
    deployed: Platform,
    kafka: KafkaBroker,
    assess: Assess,
    customer: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    topic = Topic(kafka, customer)
    topic.create()
    topic.send(text(message("a")))
    assert deployed.materialize(customer, select=READ).success
    deployed.with_settings(kafka=None)
    assert deployed.materialize(customer, select=READ).success
    assert f"topic {topic.name} was read before, and ASSESS_KAFKA is not" in capfd.readouterr().err
    deployed.with_settings(kafka=kafka.bootstrap_servers)
    topic.delete()
    loss = ("accept-loss", "-c", customer, "--source", topic.name, "--reason", "done", "--yes")
    assert assess(*loss).exit_code == 0
    deployed.with_settings(kafka=None)
    assert deployed.materialize(customer, select=READ).success
    assert "ASSESS_KAFKA" not in capfd.readouterr().err


def test_a_loss_stops_the_run_until_it_is_accepted(
    deployed: Platform, kafka: KafkaBroker, assess: Assess, customer: str
) -> None:
    topic = Topic(kafka, customer)
    topic.create()
    topic.send(text(message("a")))
    assert deployed.materialize(customer, select=PARSED).success
    topic.send(*(text(message(each)) for each in "bcd"))
    topic.delete_records(before=3)
    before = deployed.versions(customer)
    failed = deployed.materialize(customer, select=PARSED, raise_on_error=False)
    assert not failed.success
    assert "partition 0 from 1 to 3 (2 offsets)" in str(failed.all_events)
    assert deployed.versions(customer) == before

    loss = ("accept-loss", "-c", customer, "--source", topic.name, "--reason", "retention")
    asked = assess(*loss)
    assert asked.exit_code == 1
    assert "partition 0: 2 offsets, 1 to 3, are given up." in asked.stdout
    assert assess(*loss, "--yes").exit_code == 0
    assert deployed.materialize(customer, select=PARSED).success
    claims = rows(deployed, "source_ranges", customer, "start_offset", "end_offset", "kind", "note")
    assert claims == [(0, 1, "read", None), (1, 3, "lost", "retention"), (3, 4, "read", None)]
    assert rows(deployed, "message_ledger", customer, "offset") == [(0,), (3,)]
    assert "There is no loss to accept." in assess(*loss, "--yes").stderr


def test_a_topic_made_again_is_read_beside_the_old_one(
    deployed: Platform, kafka: KafkaBroker, assess: Assess, customer: str
) -> None:
    topic = Topic(kafka, customer)
    topic.create()
    topic.send(text(message("a")))
    assert deployed.materialize(customer, select=PARSED).success
    topic.delete()
    topic.create()
    topic.send(text(message("b")), text(message("a")))
    failed = deployed.materialize(customer, select=PARSED, raise_on_error=False)
    assert "was deleted and made again" in str(failed.all_events)
    loss = ("accept-loss", "-c", customer, "--source", topic.name, "--reason", "moved", "--yes")
    assert assess(*loss).exit_code == 0
    assert deployed.materialize(customer, select=PARSED).success
    told = rows(deployed, "message_ledger", customer, "batch", "offset", "fate")
    assert told == [(1, 0, "accepted"), (3, 0, "accepted"), (3, 1, "duplicate")]
    *_, (again,) = rows(deployed, "source_ranges", customer, "source")
    by_its_source = assess("accept-loss", "-c", customer, "--source", again, "--reason", "why")
    assert f"Customer {customer}: topic {topic.name} has everything" in by_its_source.stderr


def test_a_topic_that_is_missing_and_then_made_again_is_read_on_after_both_were_accepted(
    deployed: Platform, kafka: KafkaBroker, assess: Assess, customer: str
) -> None:
    topic = Topic(kafka, customer)
    topic.create()
    topic.send(text(message("a")))
    assert deployed.materialize(customer, select=PARSED).success
    loss = ("accept-loss", "-c", customer, "--source", topic.name, "--reason", "why", "--yes")
    topic.delete()
    assert assess(*loss).exit_code == 0
    for _ in range(2):  # the second one before anybody has read the first
        topic.create()
        topic.send(text(message("b")))
        assert assess(*loss).exit_code == 0
        topic.delete()
    topic.create()
    topic.send(text(message("c")))
    assert assess(*loss).exit_code == 0
    assert deployed.materialize(customer, select=PARSED).success  # with their checks
    claims = rows(deployed, "source_ranges", customer, *SOURCE, "start_offset", "end_offset")
    assert len(set(claims)) == len(claims) == 8
    told = rows(deployed, "message_ledger", customer, "batch", "offset", "fate")
    assert told == [(1, 0, "accepted"), (6, 0, "accepted")]


def test_the_observed_topic_tells_version_and_lag(
    deployed: Platform, kafka: KafkaBroker, customer: str
) -> None:
    topic = Topic(kafka, customer)
    topic.create(partitions=2)
    topic.send("a", "b", partition=1)
    (first,) = _observe(deployed, customer)
    assert first.metadata["lag_per_partition"].value == {"0": 0, "1": 2}
    assert deployed.materialize(customer, select=READ).success
    (second,) = _observe(deployed, customer)
    assert second.metadata["lag"].value == 0
    assert second.tags == first.tags
    topic.send("c", partition=0)
    (third,) = _observe(deployed, customer)
    assert third.metadata["lag"].value == 1
    assert third.tags != first.tags


def test_publishing_says_what_the_broker_did_not_take(
    deployed: Platform, assess: Assess, customer: str, tmp_path: Path
) -> None:
    file = tmp_path / "some.ndjson"
    file.write_text(lines(message("a"), {"user_exam_id": "big", "x": "y" * 2_000_000}, "not JSON"))
    result = assess("publish", file, "-c", customer)
    assert result.exit_code == 1
    assert "2 of 3 messages acknowledged" in result.stdout
    assert "record 1: 2,000,032 bytes are over the size limit" in result.stderr


@pytest.mark.parametrize(
    ("content", "told"), [("", "is empty"), ("[]", "has no records"), ("text", "can be sent")]
)
def test_a_file_of_nothing_to_publish_makes_no_topic(
    deployed: Platform, kafka: KafkaBroker, assess: Assess, tmp_path: Path, content: str, told: str
) -> None:
    (tmp_path / "some.json").write_text(content)
    result = assess("publish", tmp_path / "some.json", "-c", "nothing")
    assert (result.exit_code, told in result.stderr) == (1, True), result.stderr
    assert "assessments.nothing" not in Topic(kafka, "nothing").admin.list_topics(timeout=10).topics


def test_a_pipe_is_not_published(deployed: Platform, assess: Assess, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = os.open(tmp_path / "pipe", os.O_RDWR)  # or opening it would wait
    result = assess("publish", tmp_path / "pipe", "-c", "nothing")
    os.close(writer)
    assert (result.exit_code, "Write it into a file" in result.stderr) == (1, True)


def test_an_interrupted_publish_says_how_many_messages_there_are(
    deployed: Platform, assess: Assess, customer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = deployed.land("landed", "some.ndjson", lines(*(message(str(n)) for n in range(20))))

    def interrupted(value: bytes) -> bytes | None:
        if b'"5"' in value:
            raise KeyboardInterrupt
        return None

    monkeypatch.setattr(kafka_publishing, "attempt_key", interrupted)
    result = assess("publish", file, "-c", customer)
    assert result.exit_code == 130
    assert "interrupted: 5 of 20 messages acknowledged" in result.stderr


def test_topics_are_registered_as_customers(
    deployed: Platform, kafka: KafkaBroker, assess: Assess
) -> None:
    assess("customers", "sync")  # whoever other tests have published to, or to nobody: code 1
    topic = Topic(kafka, "only-published")
    topic.create()
    misnamed = "assessments.No-Key"  # one thing to tell does not hide another
    topic.admin.create_topics([NewTopic(misnamed, 1, 1)])[misnamed].result()
    try:
        found = json.loads(assess("doctor", "--json").stdout)
    finally:
        topic.admin.delete_topics([misnamed])[misnamed].result()
    (told,) = [finding for finding in found if finding["subject"] == "kafka"]
    assert told["status"] == "warn"
    assert (
        told["fix"] == "assess customers sync; make those topics anew, named by `assess customers`"
    )
    assert "; not registered are only-published; no customer can have " in told["told"]
    assert misnamed in told["told"]
    result = assess("customers", "sync")
    assert "Registered only-published" in result.stdout
    assert deployed.instance.has_dynamic_partition("customers", "only-published")


def _rounded(platform: Platform, table: str, customer: str) -> list[list[Any]]:
    """Means of scores depend on the order of arrival in their last bits."""
    return [
        [round(value, 9) if isinstance(value, float) else value for value in row]
        for row in rows(platform, table, customer)
    ]


def _observe(platform: Platform, customer: str) -> Sequence[dg.AssetObservation]:
    done, seen = observe_source(platform, assessment_topic, customer, customer)
    assert done.success
    return seen


def test_what_an_open_transaction_holds_back_is_told(
    deployed: Platform, kafka: KafkaBroker, customer: str
) -> None:
    """To a run it is not there, so without that its customer looks up to date."""
    topic = Topic(kafka, customer)
    topic.create()
    topic.send("before")
    producer = topic.left_open("in it")
    topic.send("after it")
    _, (open_one,) = observe_source(deployed, assessment_topic, customer, customer)
    told = kafka_finding(deployed.settings).told
    producer.commit_transaction(60)
    _, (ended,) = observe_source(deployed, assessment_topic, customer, customer)
    assert f"holds back 2 offsets of {topic.name}" in told
    seen = [
        (one.metadata["lag"].value, one.metadata["held_back"].value) for one in (open_one, ended)
    ]
    assert seen == [(1, 2), (4, 0)]
