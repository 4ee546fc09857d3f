"""What a classic Spark session's UI says of jobs (Spark Connect's: `services/test_spark.py`)."""

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
