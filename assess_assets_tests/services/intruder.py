"""A program: try to read and write tables as whoever HADOOP_USER_NAME says, with one client.

    python intruder.py <deltalake|sail|local[1]> '[["read", "hdfs://..."], ["append", ...], ...]'

Prints a JSON list: the number of rows that a try gave, or the error. A process of its own, since
clients keep their connections, and with them who they are.
"""

import json
import sys
from collections.abc import Callable

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from assess_assets.resources.spark import SparkEngine


def with_deltalake(action: str, uri: str) -> int:
    match action:
        case "read":
            return int(DeltaTable(uri).to_pyarrow_table().num_rows)
        case "append":
            write_deltalake(uri, DeltaTable(uri).to_pyarrow_table(), mode="append")
        case "create":
            write_deltalake(uri, pa.table({"x": [1]}))
        case "delete":
            DeltaTable(uri).delete()
    return 0


def with_pyspark(engine: str) -> Callable[[str, str], int]:
    spark = SparkEngine(url=engine).session

    def attempt(action: str, uri: str) -> int:
        match action:
            case "read":
                return len(spark.read.format("delta").load(uri).limit(5).collect())
            case "read file":
                return len(spark.read.parquet(uri).limit(5).collect())
            case "append":
                rows = spark.read.format("delta").load(uri)
                rows.write.format("delta").mode("append").save(uri)
            case "create":
                spark.range(1).write.format("delta").save(uri)
            case "delete":
                rows = spark.read.format("delta").load(uri).limit(0)
                rows.write.format("delta").mode("overwrite").save(uri)
        return 0

    return attempt


def _causes(error: Exception) -> str:
    """What was said, without Java's stacks: the refusal may be the last of many causes."""
    lines = str(error).splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("at "))


def main(client: str, tries: str) -> None:
    attempt = with_deltalake if client == "deltalake" else with_pyspark(client)
    outcomes: list[int | str] = []
    for action, uri in json.loads(tries):
        try:
            outcomes.append(attempt(action, uri))
        except Exception as error:
            outcomes.append(f"{type(error).__name__}: {_causes(error)}"[:2000])
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(*sys.argv[1:])
