"""An engine that went away is one named error, wherever in a step it was noticed."""

from datetime import UTC, datetime

import pytest
from pyspark.errors.exceptions.connect import SparkConnectException
from pyspark.sql import SparkSession

from assess_assets.storage.engine_faults import EngineGone, engine_faults
from assess_assets.storage.lake import Lake
from assess_assets.storage.layout import LakeLayout

GONE = "[NO_ACTIVE_SESSION] No active Spark session found."


def no_engine() -> SparkSession:
    raise AssertionError("no step of these tests needs an engine")


@pytest.mark.parametrize("customers", [["acme"], ["acme", "globex"]])
def test_a_step_whose_engine_is_gone_says_whose_it_was_and_what_to_do(
    customers: list[str],
) -> None:
    lake = Lake(LakeLayout.of("/nowhere"), no_engine, lambda: datetime.now(UTC))

    def step(customer: str) -> str:
        if customer == "acme":
            raise SparkConnectException(GONE)
        return customer

    done = lake.for_each(customers, step)
    assert list(done) == customers[1:]
    (failed,) = done.failures.values()
    assert isinstance(failed, EngineGone)
    assert str(failed).startswith("Customer acme: the Spark Connect server that ASSESS_SPARK names")
    assert "run the same again" in str(failed)


def test_what_an_executor_had_kept_is_said_to_be_lost_with_it() -> None:
    said = "[CHECKPOINT_RDD_BLOCK_ID_NOT_FOUND] Checkpoint block rdd_7_0 not found!\nat Java"
    with (
        pytest.raises(EngineGone, match=r"^Customer acme: a Spark executor ended.* not found!$"),
        engine_faults("Customer acme"),
    ):
        raise SparkConnectException(said)


def test_an_executor_that_had_too_little_memory_is_told_with_what_to_raise() -> None:
    said = (
        "Job aborted due to stage failure: Task 0 in stage 5250.0 failed 4 times: "
        "ExecutorLostFailure (executor 2 exited caused by one of the running tasks) "
        "Reason: Command exited with code 52\nDriver stacktrace:"
    )
    with (
        pytest.raises(EngineGone, match=r"^Customer acme: .*want of memory.*spark.executor.memory"),
        engine_faults("Customer acme"),
    ):
        raise SparkConnectException(said)


def test_what_is_closer_to_the_fault_tells_of_it() -> None:
    with (
        pytest.raises(EngineGone, match=r"^Customer acme, table exams: "),
        engine_faults("Customer acme"),
        engine_faults("Customer acme, table exams"),
    ):
        raise SparkConnectException(GONE)


def test_any_other_error_passes_as_it_is() -> None:
    with pytest.raises(ValueError, match="not the engine"), engine_faults("Customer acme"):
        raise ValueError("not the engine")
