"""How fast a topic becomes raw_messages, beside confluent-kafka's bare consumer in the same run.

Belongs here: one measurement, on a broker of its own: a table for people, JSON for programs. Does
not: whether the rows are right, which the tests say, or what is made of them afterwards.

    python -m benchmarks.kafka_to_raw [--messages N] [--partitions N] [--repeat N] [--out FILE]

Both read the same messages (attempts of the synthetic sample, lz4) with warm page cache. Ours ends
with a committed Delta table: claim, read, write. The best of the repetitions counts for each.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from deltalake import DeltaTable

from assess_assets.assets.raw_messages import land_customer
from assess_assets.platform.kafka import KafkaBroker
from assess_assets.resources.spark import SAIL, SparkEngine
from assess_assets.sample.sample import sample_records
from assess_assets.sources.batches import Sources
from assess_assets.sources.kafka_config import KafkaConfig
from assess_assets.sources.kafka_publishing import ensure_topic
from assess_assets.sources.kafka_topic import Broker, topic_of
from assess_assets.storage.lake import Lake
from assess_assets.storage.layout import LakeLayout
from assess_assets.tables.ingest import RAW_MESSAGES
from benchmarks.one_broker import one_broker, say_if_busy

CUSTOMER = "bench"
GOAL = 1 / 3


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--messages", type=int, default=200_000)
    options.add_argument("--partitions", type=int, default=2)
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--engine", default=SAIL)
    options.add_argument("--out", type=Path, default=Path("kafka_to_raw.json"))
    asked = options.parse_args()
    with one_broker(heap="512m") as (broker, folder):
        told = measure(broker, folder, asked)
    asked.out.write_text(json.dumps(told, indent=2) + "\n")
    show(told)
    print(f"Written to {asked.out}")


def measure(broker: KafkaBroker, folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    config = KafkaConfig(broker.bootstrap_servers)
    ensure_topic(Broker(config, CUSTOMER), asked.partitions)
    size = publish(broker, asked.messages)
    session = SparkEngine(url=asked.engine).session
    session.range(1).count()  # the engine's start is not the topic's business

    def land(number: int) -> int:
        lake = Lake(
            LakeLayout.of(str(folder / f"lake{number}")), lambda: session, lambda: datetime.now(UTC)
        )
        landed = land_customer(lake, Sources(CUSTOMER, folder, config), asked.messages, "bench")
        landed.messages.commit({"run_id": "bench"})
        return int(DeltaTable(lake.layout.uri(RAW_MESSAGES, CUSTOMER)).count())

    ways: dict[str, Callable[[int], int]] = {
        "bare consumer": lambda _: consume(broker, asked.partitions),
        f"raw_messages on {asked.engine}": land,
    }
    # In turns, so that what else the machine does hits both.
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    processor: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(asked.repeat):
        for way, run in ways.items():
            began, worked = time.perf_counter(), time.process_time()
            read = run(number)
            seconds[way].append(time.perf_counter() - began)
            processor[way].append(time.process_time() - worked)
            assert read == asked.messages, f"{way} read {read} of {asked.messages}"
    bare, ours = (min(each) for each in seconds.values())
    return {
        "messages": asked.messages,
        "bytes": size,
        "partitions": asked.partitions,
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "machine": platform.machine(),
        "seconds": seconds,
        "processor_seconds": processor,  # of this process, on all cores
        "share_of_bare": bare / ours,
        "goal": GOAL,
    }


def publish(broker: KafkaBroker, messages: int) -> int:
    """Send them, round robin; how many bytes they have."""
    settings = {"linger.ms": 50, "compression.type": "lz4", "partitioner": "random"}
    producer = Producer({**broker.client(), **settings})
    values = [json.dumps(record).encode() for record in sample_records()]
    size = 0
    for value in islice(cycle(values), messages):
        while True:
            try:
                producer.produce(topic_of(CUSTOMER), value)
                break
            except BufferError:
                producer.poll(0.1)
        size += len(value)
    assert producer.flush(300) == 0
    return size


def consume(broker: KafkaBroker, partitions: int) -> int:
    """Every message once, and nothing done with it."""
    quick = {"group.id": "bench", "fetch.queue.backoff.ms": 0, "enable.auto.commit": False}
    consumer = Consumer({**broker.client(), **quick, "check.crcs": True})
    topic, read, end = topic_of(CUSTOMER), 0, 0
    for number in range(partitions):
        end += consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=30)[1]
    consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
    while read < end:
        read += len(consumer.consume(1000, timeout=1))
    consumer.close()
    return read


def show(told: dict[str, Any]) -> None:
    megabytes = told["bytes"] / 1e6
    print(f"{told['messages']:,} messages, {megabytes:,.0f} MB, {told['partitions']} partitions")
    for way, seconds in told["seconds"].items():
        best = min(seconds)
        rate = told["messages"] / best
        worked = f"{min(told['processor_seconds'][way]):.2f} s of processor"
        rates = f"{rate:>12,.0f} messages/s{megabytes / best:>8,.0f} MB/s"
        print(f"{way:<24}{best:>8.2f} s{rates}   ({worked})")
    verdict = "met" if told["share_of_bare"] >= told["goal"] else "not met"
    print(f"{told['share_of_bare']:.2f} of the bare rate; the goal of a third is {verdict}.")
    say_if_busy(told)


if __name__ == "__main__":
    main()
