"""What Spark's UI says of a job: whose table it writes or checks, and in which of Dagster's runs.

Belongs here: the two ways of saying it, to a classic session and to Spark Connect. Sail, which is
spoken to as Spark Connect is, has no UI and takes no notice.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession
from pyspark.sql.connect.session import SparkSession as ConnectSession


@contextmanager
def named_jobs(spark: SparkSession, customer: str, what: str, run_id: str) -> Iterator[None]:
    """Jobs of this thread are described so; on Spark Connect, which describes them itself, tagged.

    A classic session gets the run as the job group, so that the group is all that a run did.
    """
    name = f"customer {customer}: {what}, Dagster run {run_id}"
    if isinstance(spark, ConnectSession):
        tag = name.replace(",", ";")  # which separates tags
        spark.addTag(tag)
        try:
            yield
        finally:
            spark.removeTag(tag)
    else:
        context = spark.sparkContext
        context.setJobGroup(run_id, name)
        try:
            yield
        finally:
            for said in ("spark.jobGroup.id", "spark.job.description"):
                context.setLocalProperty(said, None)  # type: ignore[arg-type]
