"""The machine of `faults`, in short, with its lakes on a real HDFS.

`make faults-services` plays hundreds of steps, also on Spark.
"""

import pytest
from pyspark.sql import SparkSession

from assess_assets.platform.hdfs import Hdfs
from assess_assets_tests.faults.machine import Explored, explore

pytestmark = pytest.mark.services

STEPS = 15


def test_whatever_runs_crashes_and_races_leave_on_hdfs_is_what_the_oracle_says(
    hdfs: Hdfs, spark: SparkSession
) -> None:
    explored = Explored()
    explore(spark, explored, STEPS, lakes=hdfs.make_lake("/lakes-of-the-machine"))
    assert explored.steps >= STEPS
    assert explored.versions > explored.steps
