"""Give every message its one fate: accepted, duplicate, conflict or quarantined.

The first message to arrive wins, in the order (batch, source, partition, offset), so a later batch
never changes an earlier row. Content is compared by fingerprint, per attempt.
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.window import WindowSpec

ARRIVAL = ("batch", "source", "partition", "offset")
_KNOWN = (*ARRIVAL, "user_exam_id", "fingerprint", "fate")


def decide_fates(verdicts: DataFrame, ledger: DataFrame) -> DataFrame:
    """Verdicts with `fate`, `why` and the message each refers to.

    `ledger` holds the rows of earlier batches; of them only the first message of each content
    matters. Grain: one row per verdict.
    """
    new = verdicts.withColumn("fate", F.lit(None).cast("string"))
    attempts = new.where("user_exam_id is not null").select("user_exam_id").distinct()
    known = (
        ledger.where("fate in ('accepted', 'conflict')")
        .select(*_KNOWN)
        .join(attempts, "user_exam_id", "left_semi")
    )
    arrived = new.unionByName(known, allowMissingColumns=True)
    # Most attempts have one message: only the others are sorted, which takes most of the time.
    several = arrived.where("user_exam_id is not null").groupBy("user_exam_id").count()
    several = several.where("count > 1").select("user_exam_id")
    itself = F.struct(*ARRIVAL)
    alone = new.join(several, "user_exam_id", "left_anti").withColumns(
        {"first_message": itself, "first_of_content": itself}
    )
    compared = arrived.join(several, "user_exam_id", "left_semi").withColumns(
        {
            "first_message": _first(Window.partitionBy("user_exam_id")),
            "first_of_content": _first(Window.partitionBy("user_exam_id", "fingerprint")),
        }
    )
    return (
        alone.unionByName(compared.where("fate is null"))
        .withColumn("fate", F.expr(_FATE))
        .withColumn("refers_to", F.expr(_REFERS_TO))
        .withColumn("why", F.expr(_WHY))
        .select(
            "*",
            F.col("refers_to.source").alias("refers_to_source"),
            F.col("refers_to.partition").alias("refers_to_partition"),
            F.col("refers_to.offset").alias("refers_to_offset"),
        )
        .drop("refers_to", "first_message", "first_of_content")
    )


def _first(content: WindowSpec) -> Column:
    """Coordinates of the first message to arrive in a window."""
    return F.min(F.struct(*ARRIVAL)).over(content)


_FATE = """
case when rule is not null then 'quarantined'
     when first_message = struct(batch, source, partition, offset) then 'accepted'
     when first_of_content = struct(batch, source, partition, offset) then 'conflict'
     else 'duplicate' end
"""
_REFERS_TO = """
case fate when 'duplicate' then first_of_content when 'conflict' then first_message end
"""
_WHY = """
case fate
  when 'accepted' then 'first message of its attempt'
  when 'duplicate' then 'same content as an earlier message of the attempt'
  when 'conflict' then 'first message of other content for a known attempt'
  else concat(rule, coalesce(concat(' at ', json_path), '')) end
"""
