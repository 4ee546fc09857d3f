"""A real Kafka, HDFS and Spark, each started once, by whoever asks first, in a temporary folder."""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from assess_assets.platform.errors import JavaMissing
from assess_assets.platform.hdfs import Hdfs
from assess_assets.platform.java import java
from assess_assets.platform.kafka import KafkaBroker
from assess_assets.platform.spark import Spark
from assess_assets_tests.services.running import running, running_as_platform
from assess_assets_tests.services.topics import Topic


@pytest.fixture(scope="session")
def java_program() -> str:
    """With CI=true a machine without Java fails these tests; elsewhere it skips them."""
    try:
        return java()
    except JavaMissing as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(f"No real services here. {error}")


@pytest.fixture(scope="session")
def kafka(java_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    with running(KafkaBroker(tmp_path_factory.mktemp("kafka"))) as broker:
        yield broker


@pytest.fixture(scope="session")
def secured_kafka(
    java_program: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KafkaBroker]:
    """It speaks TLS, asks who one is, and lets the users `acme` and `globex` do nothing yet."""
    users = {name: f"{name}-secret" for name in ("admin", "acme", "globex")}
    with running(KafkaBroker(tmp_path_factory.mktemp("secured-kafka"), users=users)) as broker:
        yield broker


@pytest.fixture(scope="session")
def hdfs(java_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hdfs]:
    """With ann of acme and gil of globex; this process is the platform's user."""
    cluster = Hdfs(tmp_path_factory.mktemp("hdfs"), groups={"ann": "acme", "gil": "globex"})
    with running_as_platform(cluster):
        yield cluster


@pytest.fixture(scope="session")
def spark_cluster(java_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    with running(Spark(tmp_path_factory.mktemp("spark"))) as cluster:
        yield cluster


@pytest.fixture
def folder(java_program: str, tmp_path: Path) -> Path:
    """For services of a test's own."""
    return tmp_path / "services"


_NUMBERS = count(1)


@pytest.fixture
def topic(kafka: KafkaBroker) -> Topic:
    """A customer of this test alone; its topic has one partition and nothing in it."""
    made = Topic(kafka, f"customer-{next(_NUMBERS)}")
    made.create(partitions=1)
    return made
