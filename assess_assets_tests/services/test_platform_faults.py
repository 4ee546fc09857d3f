"""The harness of the real platform, in short: runs and services are killed under publishing.

After each fault one rerun has to have every acknowledged message exactly once. Runs are processes
on Sail, whatever the engine of this one is. `make faults-services` inflicts a hundred, also on
Spark.
"""

import pytest
from deltalake import DeltaTable, write_deltalake

from assess_assets.platform.hdfs import Hdfs
from assess_assets.platform.kafka import KafkaBroker
from assess_assets_tests.faults.on_platform import ON_SAIL, reported
from assess_assets_tests.faults.platform_harness import PlatformHarness
from assess_assets_tests.faults.real_platform import RealPlatform
from assess_assets_tests.faults.watching import Violation

pytestmark = pytest.mark.services

BOUNDARIES = (("kill after", "source_ranges"), ("kill before", "message_ledger"))


@pytest.fixture(scope="module")
def harness(
    kafka: KafkaBroker, hdfs: Hdfs, tmp_path_factory: pytest.TempPathFactory
) -> PlatformHarness:
    folder = tmp_path_factory.mktemp("platform-faults")
    return PlatformHarness(RealPlatform(kafka, hdfs), folder, seed=1, boundaries=BOUNDARIES)


@pytest.mark.parametrize("kind", ["run killed at a commit", *ON_SAIL])
def test_after_a_fault_one_rerun_has_every_acknowledged_message_once(
    harness: PlatformHarness, kind: str
) -> None:
    tally = harness.inflict(kind)
    assert (tally.told, tally.lost, tally.repeated, tally.hand_repairs) == ([], 0, 0, 0)
    assert harness.unnamed == []
    if kind == "run killed at a commit":
        assert tally.hit == tally.number, "it was killed there"
    assert reported(harness, 0)["messages_acknowledged"] > 8 * len(harness.rounds)


def test_the_harness_sees_a_message_that_is_gone_and_one_that_is_there_twice(
    harness: PlatformHarness,
) -> None:
    """Damage of a lake that nothing else finds wrong, so last in this module."""
    if not harness.rounds:
        harness.inflict("run killed at random")
    customer = harness.customers[-1]
    assert customer.lost_and_repeated() == (0, 0)
    uri = customer.steps.uri("raw_messages")
    taken = DeltaTable(uri).to_pyarrow_table(filters=[("partition", "=", 0), ("offset", "=", 1)])
    assert taken.num_rows == 1

    for uri in map(customer.steps.uri, ("raw_messages", "message_ledger")):
        DeltaTable(uri).delete("partition = 0 and offset = 1")
    assert customer.lost_and_repeated() == (1, 0)
    with pytest.raises(Violation, match=r"raw_messages version .* 1 rows missing, 0 too many"):
        customer.require_complete()

    write_deltalake(customer.steps.uri("raw_messages"), taken, mode="append")
    assert customer.lost_and_repeated() == (1, 0), "it is back, and its fate is not"
    write_deltalake(customer.steps.uri("raw_messages"), taken, mode="append")
    assert customer.lost_and_repeated() == (2, 1), "twice there, and nothing judged"
