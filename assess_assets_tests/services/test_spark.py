"""The Connect server: Delta on HDFS, Python on the executors, and sessions after a crash."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from assess_assets.platform.hdfs import Hdfs
from assess_assets.platform.spark import Spark
from assess_assets.resources.spark import SparkEngine
from assess_assets.storage.delta import pin, replace
from assess_assets.storage.engine_faults import EngineGone
from assess_assets.tables.ingest import BUILDS

pytestmark = pytest.mark.services


def session(cluster: Spark) -> SparkSession:
    return SparkSession.builder.remote(cluster.remote).create()


def test_a_session_runs_a_job_with_delta_on_hdfs(spark_cluster: Spark, hdfs: Hdfs) -> None:
    spark = session(spark_cluster)
    uri = f"{hdfs.lake}/by_spark"
    frame = spark.range(10).withColumn("answer", F.udf(lambda n: n * 2, "long")("id"))
    frame.write.format("delta").save(uri)
    assert spark.read.format("delta").load(uri).agg(F.sum("answer")).collect()[0][0] == 90
    spark.stop()
    found = DeltaTable(uri).to_pyarrow_table()
    assert sorted(found.column("answer").to_pylist()) == list(range(0, 20, 2))


def test_the_ui_says_of_a_job_whose_table_it_writes_and_in_which_run(
    spark_cluster: Spark, hdfs: Hdfs
) -> None:
    spark = session(spark_cluster)
    target = pin(BUILDS, "acme", f"{hdfs.lake}/named/builds")
    replace(target, target.read(spark), "true", {"run_id": "4711"})
    spark.range(5).count()
    spark.stop()
    tags = [set(job["jobTags"]) for job in jobs_shown_by(spark_cluster)]
    named = [found for found in tags if any("customer acme: builds; " in tag for tag in found)]
    assert named
    assert all(any("Dagster run 4711" in tag for tag in found) for found in named)
    assert len(named) < len(tags), "what is no write of ours is not called so"


def jobs_shown_by(cluster: Spark) -> list[dict[str, Any]]:
    """What the Connect server's UI shows, as JSON."""
    ui = f"http://127.0.0.1:{cluster.connect.ports[1]}/api/v1/applications"

    def ask(url: str) -> Any:
        with build_opener(ProxyHandler({})).open(url, timeout=20) as answer:
            return json.loads(answer.read())

    (application,) = ask(ui)
    assert application["name"] == "assess_assets"
    jobs: list[dict[str, Any]] = ask(f"{ui}/{application['id']}/jobs")
    return jobs


def test_a_connect_server_that_crashed_comes_back_on_the_same_port(spark_cluster: Spark) -> None:
    remote = spark_cluster.remote
    spark_cluster.connect.kill()
    assert spark_cluster.start()
    assert spark_cluster.remote == remote
    spark = session(spark_cluster)
    assert spark.range(5).count() == 5
    spark.stop()


def test_a_process_outlives_the_session_that_the_server_has_ended(spark_cluster: Spark) -> None:
    program = [sys.executable, "-W", "ignore", "-m", "assess_assets_tests.forgotten_session"]
    done = subprocess.run(
        [*program, spark_cluster.remote], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert "INVALID_HANDLE.SESSION_CLOSED" in told[0]
    assert told[-1] == "3"


@pytest.mark.faults  # PySpark asks a server that is gone for minutes
def test_a_write_whose_connect_server_was_killed_says_so_and_the_process_goes_on(
    spark_cluster: Spark, tmp_path: Path
) -> None:
    uri = str(tmp_path / "lake" / "builds")
    engine = SparkEngine(url=spark_cluster.remote)
    pinned = pin(BUILDS, "acme", uri)
    frame = pinned.read(engine.session)
    frame.count()
    spark_cluster.connect.kill()
    spark_cluster.start()
    with pytest.raises(EngineGone, match=r"Customer acme, table builds .*run the same again"):
        replace(pinned, frame, "true", {"run_id": "under way"})
    assert DeltaTable(uri).version() == pinned.version, "nothing was written"
    row = dict.fromkeys(BUILDS.column_names) | {"build": 1}
    again = engine.session.createDataFrame([row], BUILDS.schema)
    replace(pinned, again, "true", {"run_id": "after"})
    assert DeltaTable(uri).to_pyarrow_table().column("build").to_pylist() == [1]
    engine.session.stop()  # else the client looks for the server when this process ends


def test_nothing_is_left_after_a_stop_not_even_an_executor(spark_cluster: Spark) -> None:
    assert len(spark_cluster.worker.left()) > 1, "the worker has an executor"
    assert spark_cluster.stop()
    assert [service.left() for service in spark_cluster.services] == [[], [], []]
    assert not spark_cluster.stop()
