"""The engine: Sail in this process, or Apache Spark, behind one SparkSession.

Which one runs is configuration; everything else in the package is PySpark that behaves alike on
both. Sessions come from dagster-pyspark's resource; a process has one, made on first use.
"""

import atexit
import gc
import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING
from urllib.request import getproxies_environment

from dagster import ConfigurableResource
from dagster_pyspark import LazyPySparkResource
from pyspark.sql import SparkSession

from assess_assets.sources.batches import READERS
from assess_assets.sources.kafka_source import KafkaDataSource
from assess_assets.sources.landing_source import LandingDataSource
from assess_assets.storage.lake import SIDE_BY_SIDE

if TYPE_CHECKING:
    from pysail.spark import SparkConnectServer

SAIL = "sail"
# Sail (0.7.2) forgets a session that nothing was asked of for as long, and the client goes on using
# it: so it is asked something in time. And until then Sail keeps a timer of every request, 20 kB a
# query: with its own 15 minutes, a run over many customers would hold a gigabyte of them.
SAIL_IDLE_SECONDS = 120
SAIL_ASKED_EVERY_SECONDS = 30.0
# A data source's reader in Sail (0.7.2) keeps Python's lock while its queue is full: somebody has
# to empty it who does not wait for that lock himself. By default Sail has a worker per core, and
# each customer that is written to needs one that calls Python: eight customers of sixty files on
# two cores stood still for ever, two of them now and then.
SAIL_WORKERS = max(4, os.cpu_count() or 1)  # at least; each takes memory
DELTA_PACKAGE = "io.delta:delta-spark_4.2_2.13:4.4.0"

# Spark's Connect server ends a session that nothing was asked of for an hour.
QUIET_SECONDS = 60.0
_ENDED = ("INVALID_HANDLE.SESSION", "is not running")  # Spark 4.2, Sail 0.7.2

_last_asked: dict[str, float] = {}
_ONE_AT_A_TIME = Lock()
_COMMON = {"spark.app.name": "assess_assets", "spark.sql.session.timeZone": "UTC"}
# Else PySpark 4.2 looks for IPython in every call: a fifth of the time of a small run. Of a Connect
# server it is a setting of the server's.
_NO_DEBUGGING = {"spark.python.sql.dataFrameDebugging.enabled": "false"}
_SPARK = {
    **_COMMON,
    **_NO_DEBUGGING,
    "spark.jars.packages": DELTA_PACKAGE,
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.log.level": "ERROR",
    "spark.ui.showConsoleProgress": "false",
}


class SparkEngine(ConfigurableResource):  # type: ignore[type-arg]
    """`url`: sail, local[n], spark://host:port, or sc://host:port (Spark Connect)."""

    url: str = SAIL

    @property
    def session(self) -> SparkSession:
        with _ONE_AT_A_TIME:  # customers' threads ask at the same time; a process has one session
            spark = _session(self.url)
            quiet_seconds = time.monotonic() - _last_asked.get(self.url, time.monotonic())
            if _is_over(spark, quiet_seconds):
                # A process may outlive that: without another session every later run in it fails.
                spark.stop()
                _session.cache_clear()
                spark = _session(self.url)
            _last_asked[self.url] = time.monotonic()
            return spark


def customers_side_by_side(url: str) -> int:
    """How many customers of a run the engine may serve: on Sail fewer than it has workers."""
    return min(SIDE_BY_SIDE, SAIL_WORKERS - 1) if url == SAIL else SIDE_BY_SIDE


def _is_over(spark: SparkSession, quiet_seconds: float) -> bool:
    """Whether the server has ended the session: it was started again, or had no use for it.

    Of the latter the client knows nothing, so after a while of quiet the server is asked.
    """
    stopped = getattr(spark, "is_stopped", None)  # only sessions of Connect have it
    if stopped is None or stopped or quiet_seconds < QUIET_SECONDS:
        return bool(stopped)
    try:
        spark.conf.get("spark.sql.session.timeZone")
    except Exception as error:  # any other is told by what is asked next
        return any(sign in str(error) for sign in _ENDED)
    return False


@cache
def _session(url: str) -> SparkSession:
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else workers miss our packages
    # Else gRPC looks for this very machine behind a company's http_proxy, and waits for ever.
    elsewhere = getproxies_environment().get("no", "")
    os.environ.setdefault("no_grpc_proxy", f"127.0.0.1,localhost,{elsewhere}".rstrip(","))
    _spare_what_is_imported()
    spark: SparkSession = LazyPySparkResource(spark_config=_configuration(url)).spark_session
    if url.startswith(("local", "spark://")):
        _prefer_few_partitions(spark, is_local=url.startswith("local"))
    spark.dataSource.register(LandingDataSource)
    spark.dataSource.register(KafkaDataSource)
    if url == SAIL:
        Thread(target=_keep, args=[spark], name="keeps Sail's session", daemon=True).start()
    return spark


def _keep(spark: SparkSession) -> None:
    """Ask for something now and then: a step may need its session after minutes of other work."""
    with suppress(Exception):  # a session that is over is replaced when it is next needed
        while not getattr(spark, "is_stopped", False):
            time.sleep(SAIL_ASKED_EVERY_SECONDS)
            spark.conf.get("spark.sql.session.timeZone")


def _prefer_few_partitions(spark: SparkSession, is_local: bool) -> None:
    """A small Delta table costs 6-20 s to open with the defaults, 1-2 s with these.

    Unless spark-defaults.conf says otherwise. Of a cluster's cores we know nothing: there Spark's
    adaptive execution makes few partitions of many, where rows are few.
    """
    context = spark.sparkContext
    preferred = {"spark.databricks.delta.snapshotPartitions": 1}
    if is_local:
        preferred["spark.sql.shuffle.partitions"] = max(2, context.defaultParallelism)
    for name, value in preferred.items():
        if not context.getConf().contains(name):
            spark.conf.set(name, str(value))


@cache
def _spare_what_is_imported() -> None:
    """Keep the garbage collector off modules, which stay anyway: 1 s of a small run, 0.7 of exit.

    But nanobind, which DuckDB is made with, prints what was never collected as leaks.
    """
    gc.freeze()
    atexit.register(lambda: gc.unfreeze() if "duckdb" in sys.modules else None)


def _configuration(url: str) -> dict[str, str]:
    if url == SAIL:
        host, port = _sail().listening_address
        # Sail runs all partitions of a source at once, however many, and each keeps what it writes
        # in memory until its file is full.
        readers = {READERS: str(os.cpu_count() or 1)}
        return {**_COMMON, **_NO_DEBUGGING, **readers, "spark.remote": f"sc://{host}:{port}"}
    if url.startswith("sc://"):
        return {**_COMMON, "spark.remote": url}
    on_a_cluster = str(url.startswith("spark://")).lower()
    return {**_SPARK, "spark.master": url, "spark.ui.enabled": on_a_cluster}


def forget_checkpoints() -> None:
    """Free what runs have checkpointed, when none is under way: Sail keeps it for ever."""
    if _sail.cache_info().currsize == 0:  # another engine
        return
    for left in _checkpoints().iterdir():
        shutil.rmtree(left, ignore_errors=True)


def remove_checkpoints() -> None:
    """Their folder too, as Python's own end does: for who hands the process to another program."""
    if _sail.cache_info().currsize:
        shutil.rmtree(_checkpoints(), ignore_errors=True)


@cache
def _checkpoints() -> Path:
    """Where Sail puts a checkpoint's Parquet files: a folder that goes with the process."""
    folder = tempfile.TemporaryDirectory(prefix="assess-checkpoints-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


@cache
def _sail() -> "SparkConnectServer":
    """Sail in this process, on a free loopback port. Kept: a server that is collected stops."""
    os.environ.setdefault("RUST_LOG", "error")
    os.environ["SAIL_EXECUTION__CHECKPOINT__PATH"] = f"file://{_checkpoints()}"
    os.environ["SAIL_SPARK__SESSION_TIMEOUT_SECS"] = str(SAIL_IDLE_SECONDS)
    os.environ["TOKIO_WORKER_THREADS"] = str(SAIL_WORKERS)
    # Sail's allocator: else it keeps what was freed for a second (0.1 GB more of a run's memory),
    # and pages of 2 MB of which little is in use (0.3 GB more).
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", "1")
    os.environ.setdefault("MIMALLOC_ALLOW_THP", "0")

    from pysail.spark import SparkConnectServer  # reads the environment when it is loaded

    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start()
    return server
