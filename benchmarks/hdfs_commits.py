"""What a commit costs on HDFS, beside the same commit on a local disk, in the same run.

Belongs here: one gated write of a small table, by files a commit and by customers at once; a table
for people, JSON for programs. What a whole run costs is not.

    python -m benchmarks.hdfs_commits [--repeat N] [--engine sail] [--out FILE]

The HDFS is the one of `assess services`: two DataNodes on loopback. The median counts.
"""

import argparse
import json
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from assess_assets.platform.hdfs import PLATFORM_USER, Hdfs
from assess_assets.resources.spark import SAIL, SparkEngine
from assess_assets.storage.delta import committed, pin, replace
from assess_assets.storage.layout import LakeLayout
from assess_assets.tables.ingest import BUILDS
from benchmarks.one_broker import say_if_busy

ROWS = 100
FILES = (1, 2, 4)  # of data, in one commit; its log entry is one more
CUSTOMERS = (1, 2, 4, 8)  # each in a thread


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--repeat", type=int, default=7)
    options.add_argument("--engine", default=SAIL)
    options.add_argument("--out", type=Path, default=Path("hdfs_commits.json"))
    asked = options.parse_args()
    os.environ["HADOOP_USER_NAME"] = PLATFORM_USER
    with tempfile.TemporaryDirectory(prefix="assess-bench-") as name:
        hdfs = Hdfs(Path(name) / "hdfs")
        try:
            hdfs.start()
            lakes = {"local disk": f"file://{name}/lake", "HDFS": hdfs.make_lake("/bench")}
            told = measure(SparkEngine(url=asked.engine).session, lakes, asked.repeat)
        finally:
            hdfs.stop()
    asked.out.write_text(json.dumps(told, indent=2) + "\n")
    show(told)
    print(f"Written to {asked.out}")


def measure(spark: SparkSession, lakes: dict[str, str], repeat: int) -> dict[str, Any]:
    """Seconds of each repetition, the places in turns."""
    one_by_one: dict[str, dict[int, list[float]]] = {
        place: {files: [] for files in FILES} for place in lakes
    }
    at_once: dict[str, dict[int, list[float]]] = {
        place: {number: [] for number in CUSTOMERS} for place in lakes
    }
    for root in lakes.values():
        for number in range(max(CUSTOMERS)):  # the tables themselves are made before
            commit(spark, root, f"customer-{number}", 1)
    for _ in range(repeat):
        for place, root in lakes.items():
            for files in FILES:
                began = time.perf_counter()
                commit(spark, root, "customer-0", files)
                one_by_one[place][files].append(time.perf_counter() - began)
            for number in CUSTOMERS:
                with ThreadPoolExecutor(number) as pool:
                    names = [f"customer-{each}" for each in range(number)]
                    began = time.perf_counter()
                    list(pool.map(lambda name, root=root: commit(spark, root, name, 1), names))
                    at_once[place][number].append((time.perf_counter() - began) / number)
    return {
        "rows": ROWS,
        "seconds_by_files": one_by_one,
        "seconds_a_commit_by_customers_at_once": at_once,
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
    }


def commit(spark: SparkSession, root: str, customer: str, files: int) -> None:
    """One gated write of `builds`, in so many files of data."""
    target = pin(BUILDS, customer, LakeLayout(root).uri(BUILDS, customer))
    replace(target, rows(spark, files), "true", {"run_id": "bench"})
    made = committed(pin(BUILDS, customer, target.uri))
    assert (made.rows, made.files) == (ROWS, files), made


def rows(spark: SparkSession, files: int) -> DataFrame:
    columns = [F.lit(1).cast(column.type).alias(column.name) for column in BUILDS.columns]
    return spark.range(ROWS).select(*columns).repartition(files)


def show(told: dict[str, Any]) -> None:
    print(f"{'one gated commit, in seconds':<40}{'local disk':>12}{'HDFS':>12}{'ratio':>8}")
    for key, what in (
        ("seconds_by_files", "{} files of data"),
        ("seconds_a_commit_by_customers_at_once", "{} customers at once, each commit"),
    ):
        local, remote = told[key]["local disk"], told[key]["HDFS"]
        for number in local:
            here, there = median(local[number]), median(remote[number])
            told_as = what.format(number)
            print(f"{told_as:<40}{here:>12.3f}{there:>12.3f}{there / here:>8.1f}")
    say_if_busy(told)


if __name__ == "__main__":
    main()
