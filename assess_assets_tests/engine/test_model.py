"""The machine of `faults`, in short: it finds nothing, and would find each protection missing.

`make faults` plays thousands of steps of all kinds of scenes.
"""

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from assess_assets_tests.conftest import ENGINE
from assess_assets_tests.faults.machine import Explored, crashing, explore, overtaking
from assess_assets_tests.faults.unprotected import PROTECTIONS
from assess_assets_tests.faults.watching import Violation

pytestmark = pytest.mark.faults

STEPS = 40 if ENGINE == "sail" else 4
STEPS_TO_FIND = 150  # measured: 40 to 48
# What to play: the scenes that each guards against.
SCENES_THAT_NEED = {
    "pin": overtaking(),
    "bounds": crashing(),
    "gate": overtaking(),
    "fence": overtaking(),
}


@pytest.fixture
def unprotected() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.mark.both_engines
def test_whatever_runs_crashes_and_races_leave_is_what_the_oracle_says(spark: SparkSession) -> None:
    explored = Explored()
    explore(spark, explored, STEPS)
    assert explored.steps >= STEPS
    assert explored.versions > explored.steps


@pytest.mark.parametrize("protection", PROTECTIONS)
def test_without_one_protection_the_machine_finds_what_goes_wrong(
    protection: str, spark: SparkSession, unprotected: pytest.MonkeyPatch
) -> None:
    PROTECTIONS[protection](unprotected)
    with pytest.raises(Violation):
        explore(spark, Explored(), STEPS_TO_FIND, scenes=SCENES_THAT_NEED[protection])
