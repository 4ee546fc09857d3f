"""The Connect server: Delta on HDFS, Python on the executors, and sessions after a crash."""

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from assess_assets.platform.hdfs import Hdfs
from assess_assets.platform.spark import Spark

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


def test_a_connect_server_that_crashed_comes_back_on_the_same_port(spark_cluster: Spark) -> None:
    remote = spark_cluster.remote
    spark_cluster.connect.kill()
    assert spark_cluster.start()
    assert spark_cluster.remote == remote
    spark = session(spark_cluster)
    assert spark.range(5).count() == 5
    spark.stop()


def test_nothing_is_left_after_a_stop_not_even_an_executor(spark_cluster: Spark) -> None:
    assert len(spark_cluster.worker.left()) > 1, "the worker has an executor"
    assert spark_cluster.stop()
    assert [service.left() for service in spark_cluster.services] == [[], [], []]
    assert not spark_cluster.stop()
