"""A real broker for the tests that ask for one, and a customer that reads from it."""

import os
from collections.abc import Iterator
from itertools import count

import pytest

from assess_assets_tests.services.kafka_broker import KafkaBroker, missing
from assess_assets_tests.services.topics import Topic

_NUMBERS = count(1)


def require_broker() -> None:
    """Skip with the reason on a machine that can't run a broker; in CI that is a failure."""
    reason = missing()
    if reason and os.environ.get("CI") == "true":
        pytest.fail(f"CI has to run the tests with a real broker, and {reason}")
    if reason:
        pytest.skip(f"no real Kafka broker: {reason}")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A broker that everybody may use, for the whole session."""
    require_broker()
    started = KafkaBroker(tmp_path_factory.mktemp("kafka"))
    started.start()
    yield started
    started.kill()


@pytest.fixture(scope="session")
def secured_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A broker that asks who one is, and lets the users `acme` and `globex` do nothing yet."""
    require_broker()
    started = KafkaBroker(tmp_path_factory.mktemp("secured-kafka"), secured=True)
    started.start()
    yield started
    started.kill()


@pytest.fixture
def topic(broker: KafkaBroker) -> Topic:
    """A customer of this test alone; its topic has one partition and nothing in it."""
    made = Topic(broker, f"customer-{next(_NUMBERS)}")
    made.create(partitions=1)
    return made
