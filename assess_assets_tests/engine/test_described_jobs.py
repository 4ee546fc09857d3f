"""A classic Spark session: what its UI says of jobs, and what a deployment may set.

Spark Connect's UI: `services/test_spark.py`.
"""

import json
from pathlib import Path

import pytest

from assess_assets_tests import described_jobs
from assess_assets_tests.programs import printed_by


@pytest.mark.spark
def test_jobs_of_a_write_say_whose_table_it_is_and_in_which_run(tmp_path: Path) -> None:
    printed = printed_by(described_jobs.__file__, "local[2]", str(tmp_path / "builds"))
    jobs = [json.loads(line) for line in printed.splitlines()]
    assert {job["application"] for job in jobs} == {"assess_assets"}
    of_the_write = [job for job in jobs if job["group"] == "4711"]
    assert of_the_write
    wanted = "customer acme: builds, Dagster run 4711"
    assert all(wanted in job["description"] for job in of_the_write)
    assert jobs[0]["group"] is None, "the newest job comes first, and is no write of ours"


SETTINGS = """
from assess_assets.resources.spark import SparkEngine
conf = SparkEngine(url="local[2]").session.conf
for name in ("sql.shuffle.partitions", "databricks.delta.snapshotPartitions"):
    print(conf.get(f"spark.{name}"))
"""


@pytest.mark.spark
def test_what_spark_defaults_says_goes_before_our_preferences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "spark-defaults.conf").write_text("spark.sql.shuffle.partitions 7\n")
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    assert printed_by("-c", SETTINGS).split() == ["7", "1"]
