"""A program: a write on a classic Spark session, and what Spark keeps of its jobs, as JSON lines.

    python described_jobs.py <engine> <table's uri>

A process is either a classic session's or Spark Connect's, so this one has a process of its own.
"""

import json
import sys

from assess_assets.resources.spark import SparkEngine
from assess_assets.storage.delta import pin, replace
from assess_assets.tables.ingest import BUILDS


def main(engine: str, uri: str) -> None:
    spark = SparkEngine(url=engine).session
    target = pin(BUILDS, "acme", uri)
    replace(target, target.read(spark), "true", {"run_id": "4711"})
    spark.range(5).count()  # no write of ours
    scala = spark.sparkContext._jsc.sc()
    jobs = scala.statusStore().jobsList(None)
    for number in range(jobs.size()):
        job = jobs.apply(number)
        said = (job.jobGroup(), job.description())
        group, description = (one.get() if one.isDefined() else None for one in said)
        told = {"application": scala.appName(), "group": group, "description": description}
        print(json.dumps(told))
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
