"""A broker that speaks TLS and asks who one is: what is let in, how the rest is told, and that no
password is ever seen.

Belongs here: settings, refusals, secrets. Does not: what comes of messages once one is let in.
"""

from pathlib import Path

import dagster as dg
import pytest
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from assess_assets.assets.assessment_topic import assessment_topic, data_version
from assess_assets.cli.app import app
from assess_assets.cli.following import Follower
from assess_assets.cli.source_findings import kafka_finding
from assess_assets.platform.kafka import KafkaBroker
from assess_assets.settings import Settings
from assess_assets.sources.batches import Sources, read_batch
from assess_assets.sources.kafka import topic_range
from assess_assets.sources.kafka_config import KafkaConfig
from assess_assets.sources.kafka_errors import BrokerUnavailable, KafkaNotConfigured, NotAuthorized
from assess_assets.sources.kafka_topic import Broker, TopicState, Watermarks, topic_of
from assess_assets.sources.ranges import SourceError
from assess_assets.storage.claims import claim_batch, claimed_batches
from assess_assets.tables.ingest import SOURCE_RANGES
from assess_assets_tests.conftest import ENGINE, Platform
from assess_assets_tests.deliveries import lines, message
from assess_assets_tests.observing import observe_source, told_by_failure
from assess_assets_tests.services.topics import Topic
from assess_assets_tests.steps import NOON

pytestmark = pytest.mark.services

READ = ["source_ranges", "raw_messages"]


@pytest.fixture(scope="module")
def acme(secured_kafka: KafkaBroker) -> Topic:
    """Acme's topic with two messages; the user `acme` may read and write it, and nothing else."""
    made = Topic(secured_kafka, "acme")
    for topic in (made, Topic(secured_kafka, "acmecorp")):
        topic.create()
        topic.send("one", "two")
    for operation in (AclOperation.READ, AclOperation.WRITE):
        about = (ResourceType.TOPIC, topic_of("acme"), ResourcePatternType.LITERAL, "User:acme")
        allow = AclBinding(*about, "*", operation, AclPermissionType.ALLOW)
        for done in made.admin.create_acls([allow]).values():
            done.result()
    return made


def config_of(acme: Topic, user: str = "acme") -> KafkaConfig:
    return KafkaConfig(acme.broker.bootstrap_servers, str(acme.broker.settings_file(user)))


def test_credentials_read_their_own_topic_and_no_other(acme: Topic) -> None:
    broker = Broker(config_of(acme), "acme")
    state = broker.look_at(acme.name)
    assert state is not None
    assert state.partitions[0].end >= 2
    with pytest.raises(NotAuthorized, match=r"refuses topic assessments\.acmecorp"):
        broker.look_at("assessments.acmecorp")
    with pytest.raises(NotAuthorized, match=r"refuses topic assessments\.acme: "):
        Broker(config_of(acme, "globex"), "acme").look_at(acme.name)
    assert broker.customers()[0] == ["acme"], "another's topic is not even listed"


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        (("acme-secret", "a-wrong-one"), NotAuthorized, "Check the user and password"),
        (("ssl.ca", "#"), BrokerUnavailable, r"no TLS connection.*Set ssl\.ca\.location"),
        (("SASL_SSL", "SASL_PLAINTEXT"), BrokerUnavailable, "does not serve topic"),
        (("sasl.username", "#"), KafkaNotConfigured, "sasl.username and sasl.password must be"),
        (("sasl.password", "sasl.pasword"), KafkaNotConfigured, 'property: "sasl.pasword"'),
        (("broker.pem", "none.pem"), KafkaNotConfigured, "ssl.ca.location failed"),
    ],
)
def test_settings_that_do_not_fit_are_named_and_no_password_is_quoted(
    acme: Topic, tmp_path: Path, change: tuple[str, str], error: type[SourceError], told: str
) -> None:
    right = acme.broker.settings_file("acme")
    assert right is not None
    file = tmp_path / "client.properties"
    file.write_text(right.read_text().replace(*change))
    config = KafkaConfig(acme.broker.bootstrap_servers, str(file))
    with pytest.raises(error, match=told) as raised:
        Broker(config, "acme", timeout_seconds=5).look_at(acme.name)
    shown = f"{raised.value} {raised.value!r} {config!r}"
    assert "acme-secret" not in shown
    assert "a-wrong-one" not in shown


def test_settings_in_the_environment_do_as_well_as_a_file(
    acme: Topic, spark: SparkSession, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert acme.broker.security is not None
    for name, value in acme.broker.security.client("acme").items():
        variable = name.upper().replace(".", "_")
        monkeypatch.setenv(f"ASSESS_KAFKA_CLIENT__{variable}", value)
    sources = Sources("acme", tmp_path, KafkaConfig(acme.broker.bootstrap_servers))
    found = read_batch(spark, sources, Topic(acme.broker, "acme").find(), 1, NOON).limit(2)
    assert [bytes(row.value) for row in found.select("value").collect()] == [b"one", b"two"]


def test_a_topic_that_is_refused_leaves_only_its_customer_unobserved(
    acme: Topic, tmp_path: Path
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        platform = Platform(tmp_path, instance)
        config = config_of(acme)
        platform.with_settings(kafka=config.servers, kafka_config=Path(str(config.file)))
        platform.register("acmecorp", "acme")
        result, (seen,) = observe_source(platform, assessment_topic, "acmecorp", "acme")
    state = Broker(config, "acme").look_at(acme.name)
    assert state is not None
    assert (seen.partition, seen.tags["dagster/data_version"]) == ("acme", data_version(state))
    assert seen.metadata["lag"].value == state.partitions[0].end
    assert not (tmp_path / "lake").exists(), "who only looks makes no table"
    told = told_by_failure(result)
    assert "1 of 2 customers failed; the others were done." in told
    assert "- acmecorp: Customer acmecorp: Kafka at " in told
    assert "refuses topic assessments.acmecorp" in told


@pytest.mark.parametrize("change", [("-secret", "-wrong"), ("", "")], ids=["password", "topic"])
def test_who_has_only_a_folder_is_read_although_the_broker_refuses(
    acme: Topic,
    tmp_path: Path,
    spark: SparkSession,
    capfd: pytest.CaptureFixture[str],
    change: tuple[str, str],
) -> None:
    """With a warning; who published before is stopped, and told why."""
    right, file = acme.broker.settings_file("acme"), tmp_path / "client.properties"
    assert right is not None
    file.write_text(right.read_text().replace(*change))
    with dg.DagsterInstance.ephemeral() as instance:
        platform = Platform(tmp_path, instance)
        platform.with_settings(kafka=acme.broker.bootstrap_servers, kafka_config=file)
        for customer in ("initech", "acmecorp"):
            platform.land(customer, "a.ndjson", lines(message("a")))
        claims = platform.lake.pin(SOURCE_RANGES, "acmecorp")
        known = TopicState("id", {0: Watermarks(0, 0)})
        claimed = [topic_range(topic_of("acmecorp"), 0, (0, 0), known)]
        claim_batch(claims, claimed_batches(claims), claimed, NOON, "run")
        assert platform.materialize("initech", select=READ).success
        told = capfd.readouterr().err
        assert "Only files are read, as all of this customer's messages came in files." in told
        assert "refuses topic assessments.initech" in told
        assert [row["source"] for row in platform.rows("raw_messages", "initech")] == ["a.ndjson"]
        with pytest.raises(NotAuthorized, match=r"refuses topic assessments\.acmecorp"):
            platform.materialize("acmecorp", select=READ)


def test_the_doctor_says_whose_topics_are_refused(
    acme: Topic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    with dg.DagsterInstance.get() as instance:
        instance.add_dynamic_partitions("customers", ["acme", "initech", "No Key"])
    config = config_of(acme)
    file = Path(str(config.file))
    found = kafka_finding(Settings(kafka=config.servers, kafka_config=file))
    assert found.status == "warn"
    assert found.told.endswith("it refuses to say whether initech have one: only files are read"), (
        found.told
    )


def test_who_follows_is_let_in_again_once_the_password_is_corrected(
    acme: Topic, tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders are followed meanwhile. Each refusal is said once, not in every round."""
    right, file = acme.broker.settings_file("acme"), tmp_path / "client.properties"
    assert right is not None
    file.write_text(right.read_text().replace("acme-secret", "expired"))
    for name in ("lake", "landing"):
        monkeypatch.setenv(f"ASSESS_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("ASSESS_SPARK", ENGINE)
    monkeypatch.setenv("ASSESS_KAFKA", acme.broker.bootstrap_servers)
    monkeypatch.setenv("ASSESS_KAFKA_CONFIG", str(file))
    (tmp_path / "landing" / "initech").mkdir(parents=True)
    (tmp_path / "landing" / "initech" / "a.ndjson").write_text(lines(message("a")))
    said: list[str] = []
    with dg.DagsterInstance.ephemeral() as instance:
        follower = Follower(instance, frozenset({"acme", "initech"}), said.append)
        follower.open()
        assert [len(follower.round()), len(follower.round())] == [1, 0]
        assert follower.is_blind
        assert follower.failing == {}
        (refusal,) = (told for told in said if "landing folders" in told)
        assert "Check the user and password" in refusal
        assert any(told.startswith("initech: 1 files; run ") for told in said)
        file.write_text(right.read_text())
        assert len(follower.round()) == 1
        assert not follower.is_blind
        refused = (
            "Kafka refuses the topics of 1 customers, of which only landing folders are looked "
            "at: initech"
        )
        assert "Everything can be looked at again." in said
        follower.round()
        assert said.count(refused) == 1

        file.write_text(right.read_text().replace("acme-secret", "expired again"))
        follower.open()  # as the broker asks again who it is only when a connection ends
        said.clear()
        assert [follower.round(), follower.round()] == [[], []]
        assert said.count(refusal) == 1, "what was over is said anew"


def test_a_whole_run_and_its_commands_show_no_password(
    acme: Topic,
    tmp_path: Path,
    spark: SparkSession,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """On TLS: publish, doctor, run and plan, once with the right password and once with another."""
    file = tmp_path / "client.properties"
    (tmp_path / "two.ndjson").write_text(lines(message("a"), message("b")))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    for name, value in {
        "DAGSTER_HOME": tmp_path / "home",
        "ASSESS_LAKE": tmp_path / "lake",
        "ASSESS_LANDING": tmp_path / "landing",
        "ASSESS_KAFKA": acme.broker.bootstrap_servers,
        "ASSESS_KAFKA_CONFIG": file,
    }.items():
        monkeypatch.setenv(name, str(value))
    right = acme.broker.settings_file("acme")
    assert right is not None
    shown = []

    def assess(*arguments: str) -> str:
        result = CliRunner().invoke(app, list(arguments))
        shown.append(result.output + repr(result.exception))
        return result.output

    with dg.DagsterInstance.get() as instance:
        platform = Platform(tmp_path, instance)
        platform.with_settings(kafka=acme.broker.bootstrap_servers, kafka_config=file)
        platform.register("acme")
        for password, answers in (("acme-secret", True), ("a-wrong-one", False)):
            file.write_text(right.read_text().replace("acme-secret", password))
            sent = assess("publish", str(tmp_path / "two.ndjson"), "-c", "acme")
            assert ("2 of 2 messages acknowledged" in sent) == answers
            examined = assess("doctor")
            assert ("ok    kafka: " in examined) == answers
            assert ("answers acme, with topics of 1 customers" in examined) == answers
            result = platform.materialize("acme", select=READ, raise_on_error=False)
            assert result.success == answers
            events = instance.all_logs(result.run_id)
            shown.append("".join(f"{event!r} {event.user_message}" for event in events))
        sources = Sources("acme", tmp_path, config_of(acme))
        read_batch(spark, sources, Topic(acme.broker, "acme").find(), 1, NOON).explain(True)
        assert len(platform.rows("raw_messages", "acme", "offset")) >= 4
    printed = capfd.readouterr()
    shown += [printed.out, printed.err, acme.broker.service.log.read_text()]
    assert "assess_kafka" in printed.out.lower() or "datasource" in printed.out.lower()
    for text in shown:
        for secret in ("acme-secret", "a-wrong-one", "admin-secret"):
            assert secret not in text
