"""A program: read a claimed batch of a topic on a given engine, in a process of its own.

    python read_topic.py <engine> <customer> <servers> <file of ranges> <Parquet file>

The rows go to the file, as the engine made them (`services/test_kafka_on_spark.py`).
"""

import sys
from pathlib import Path

import pyarrow.parquet as pq

from assess_assets.resources.spark import SparkEngine
from assess_assets.sources.batches import Sources, read_batch
from assess_assets.sources.kafka_config import KafkaConfig
from assess_assets.sources.ranges import ranges_from_json
from assess_assets_tests.steps import NOON


def main(engine: str, customer: str, servers: str, ranges: str, target: str) -> None:
    sources = Sources(customer, Path("no landing folder"), KafkaConfig(servers))
    claimed = ranges_from_json(Path(ranges).read_text())
    frame = read_batch(SparkEngine(url=engine).session, sources, claimed, 1, NOON)
    pq.write_table(frame.toArrow(), target)


if __name__ == "__main__":
    main(*sys.argv[1:])
