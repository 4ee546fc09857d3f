"""A question in SQL about given frames, which the engine is sent once.

A workaround, quarantined: Connect's client (pyspark 4.2.0) sends every text to the server at once,
to learn whether it is a command, and again when rows are asked for. A check's text is none, and the
first sending is a sixth of its processor time. `test_a_text_is_still_sent_to_the_server_twice`
fails when upstream waits.
"""

from collections.abc import Mapping
from typing import TypeAlias

from pyspark.sql import DataFrame

from assess_assets.storage.lake import Lake

Frames: TypeAlias = Mapping[str, DataFrame]


def run_query(lake: Lake, text: str, frames: Frames) -> DataFrame:
    """The query's rows; nothing is asked yet. `text` names frames as `{name}`.

    They have these names for this one query only, so customers in threads do not meet.
    """
    from pyspark.sql.connect.dataframe import DataFrame as ConnectDataFrame  # imports gRPC
    from pyspark.sql.connect.plan import SQL, SubqueryAlias
    from pyspark.sql.connect.session import SparkSession as ConnectSession
    from pyspark.sql.connect.sql_formatter import SQLStringFormatter

    spark = lake.spark
    if not isinstance(spark, ConnectSession):
        return spark.sql(text, None, **frames)
    formatter = SQLStringFormatter(spark)
    named = formatter.format(text, **frames)
    views = [SubqueryAlias(frame._plan, name) for frame, name in formatter._temp_views]
    return ConnectDataFrame(SQL(named, views=views), spark)
