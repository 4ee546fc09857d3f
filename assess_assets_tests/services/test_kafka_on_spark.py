"""A topic read by Apache Spark's executors: the same rows as on Sail.

Belongs here: that engines agree about a topic. Does not: that either is right.
"""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from assess_assets.platform.kafka import KafkaBroker
from assess_assets.sources.batches import Sources, read_batch
from assess_assets.sources.ranges import ranges_to_json
from assess_assets_tests import read_topic
from assess_assets_tests.services.topics import Topic
from assess_assets_tests.steps import NOON

pytestmark = pytest.mark.services


def test_sparks_executors_read_the_rows_that_sail_reads(
    kafka: KafkaBroker, spark: SparkSession, tmp_path: Path
) -> None:
    topic = Topic(kafka, "on-spark")
    topic.create(partitions=3)
    headers = [("trace", b"\xff\x00"), ("trace", None)]
    topic.send(b"\xff\xfe", key=b"k", headers=headers, timestamp=1_516_743_757_123)
    topic.send(*(f"{n} Ünï" for n in range(1200)), None, b"", partition=2)
    ranges = topic.claim()
    (tmp_path / "ranges.json").write_text(ranges_to_json(ranges))
    # Without what this process's own session has put into the environment for its children.
    environment = {name: value for name, value in os.environ.items() if "SPARK" not in name}
    program = [sys.executable, "-W", "ignore", read_topic.__file__, "local[2]", topic.customer]
    done = subprocess.run(
        [*program, kafka.bootstrap_servers, tmp_path / "ranges.json", tmp_path / "rows.parquet"],
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    order = [("partition", "ascending"), ("offset", "ascending")]
    by_spark = pq.read_table(tmp_path / "rows.parquet").sort_by(order)
    by_sail = read_batch(spark, Sources(topic.customer, tmp_path, topic.config), ranges, 1, NOON)
    expected = by_sail.toArrow().sort_by(order)
    assert by_spark.num_rows == 1203
    assert by_spark.to_pylist() == expected.to_pylist()
