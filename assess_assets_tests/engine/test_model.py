"""The machine of `faults`, in short: it finds nothing, and would find each protection missing.

`make faults` plays thousands of steps of all kinds of scenes.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from assess_assets_tests.conftest import ENGINE
from assess_assets_tests.faults.machine import Explored, crashing, explore, overtaking
from assess_assets_tests.faults.unprotected import PROTECTIONS
from assess_assets_tests.faults.watching import Violation

STEPS = 40 if ENGINE == "sail" else 10
STEPS_ON_SPARK = 8  # where a run takes twenty times as long
STEPS_TO_FIND = 150  # measured: 40 to 48
# What to play: all scenes would find it too, only later.
SCENES_THAT_NEED = {
    "pin": overtaking(),
    "bounds": crashing(),
    "gate": overtaking(),
    "fence": overtaking(),
}

ROOT = Path(__file__).parents[2]


@pytest.fixture
def unprotected() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


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


@pytest.mark.spark
def test_on_apache_spark_the_machine_finds_nothing_either(tmp_path: Path) -> None:
    """In a process of its own, for a process has one engine."""
    out = tmp_path / "found.json"
    asked = ["--kills", "0", "--failures", "0", "--steps", str(STEPS_ON_SPARK), "--out", str(out)]
    done = subprocess.run(
        [sys.executable, "-m", "assess_assets_tests.faults", "--engine", "local[2]", *asked],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(out.read_text())["machine"]["steps"] >= STEPS_ON_SPARK
