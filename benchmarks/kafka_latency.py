"""From topic to all tables: how many messages a second, and how long until one is in exam_counts.

Belongs here: measurements on a broker and a deployment of their own, through `assess follow` and
through Dagster's daemon with the sensor. Does not: raw_messages alone (`kafka_to_raw`).

    python -m benchmarks.kafka_latency [--messages N] [--rate N] [--seconds N] [--out FILE]

A message's latency goes from when it was given to the producer to when a reader of exam_counts
first sees it counted. Each message is an attempt of its own, in one partition: n counted are the
first n.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import cycle
from pathlib import Path
from typing import Any

import dagster as dg
from confluent_kafka import Producer

from assess_assets.cli.following import Follower
from assess_assets.platform.kafka import KafkaBroker
from assess_assets.resources.lake import LakeResource
from assess_assets.resources.spark import SparkEngine
from assess_assets.sample.sample import sample_records
from assess_assets.settings import Settings
from assess_assets.sources.kafka_config import KafkaConfig
from assess_assets.sources.kafka_publishing import ensure_topic
from assess_assets.sources.kafka_topic import Broker, topic_of
from assess_assets.tables.exams import EXAM_COUNTS
from benchmarks.one_broker import one_broker, say_if_busy

GOALS = {"assess follow": 15.0, "sensor": 30.0}
DAGSTER_YAML = Path(__file__).parents[1] / "assess_assets" / "cli" / "dagster.yaml"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--messages", type=int, default=50_000)
    options.add_argument("--rate", type=int, default=200)
    options.add_argument("--seconds", type=int, default=60)
    options.add_argument("--out", type=Path, default=Path("kafka_latency.json"))
    asked = options.parse_args()
    with one_broker() as (broker, folder):
        told = measure(broker, folder, asked)
    asked.out.write_text(json.dumps(told, indent=2) + "\n")
    show(told)


def measure(broker: KafkaBroker, folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {"rate": asked.rate, "seconds": asked.seconds}
    deploy(broker, folder / "all")
    found["all tables"] = all_tables(broker, asked.messages)
    for way, start in (("assess follow", following), ("sensor", daemon)):
        customer = way.split()[-1]
        deploy(broker, folder / customer)
        with running(start(), folder / f"{customer}.log"):
            found[way] = latencies(broker, customer, asked.rate, asked.seconds)
    return {**found, "cores": os.cpu_count(), "load_average": os.getloadavg()[0]}


def deploy(broker: KafkaBroker, folder: Path) -> None:
    """A new deployment, named by the environment, for this process and those it starts."""
    (folder / "home").mkdir(parents=True)
    (folder / "home" / "dagster.yaml").write_text(DAGSTER_YAML.read_text())
    os.environ["DAGSTER_HOME"] = str(folder / "home")
    os.environ["ASSESS_LAKE"] = str(folder / "lake")
    os.environ["ASSESS_LANDING"] = str(folder / "landing")
    os.environ["ASSESS_KAFKA"] = broker.bootstrap_servers


def following() -> list[str]:
    program = "from assess_assets.cli import main; main()"
    return [sys.executable, "-W", "ignore", "-c", program, "follow", "--every", "10s"]


def daemon() -> list[str]:
    """Dagster's daemon, with the sensor switched on."""
    where = ["-m", "assess_assets.definitions"]
    dagster = [sys.executable, "-W", "ignore", "-m", "dagster"]
    subprocess.run([*dagster, "sensor", "start", "new_messages", *where], check=True)
    return [sys.executable, "-W", "ignore", "-m", "dagster._daemon", "run", *where]


def all_tables(broker: KafkaBroker, messages: int) -> dict[str, float]:
    """One round of `assess follow`, its engine warm: Kafka to every table, with all checks."""
    make_topic(broker, "all")
    size = publish(broker, "all", messages, 0)
    with dg.DagsterInstance.get() as instance:
        follower = Follower(instance, frozenset({"all"}), print)
        follower.open()
        began = time.perf_counter()
        follower.round()
        seconds = time.perf_counter() - began
    assert not follower.failing
    delete_topic(broker, "all")
    return {"messages": messages, "bytes": size, "seconds": seconds}


def make_topic(broker: KafkaBroker, customer: str) -> None:
    ensure_topic(Broker(KafkaConfig(broker.bootstrap_servers), customer), 1)


def delete_topic(broker: KafkaBroker, customer: str) -> None:
    """The next measurement must not find it."""
    admin = Broker(KafkaConfig(broker.bootstrap_servers), customer).admin
    admin.delete_topics([topic_of(customer)])[topic_of(customer)].result()


def values() -> Iterator[bytes]:
    """The sample's messages over and over, each of an attempt of its own."""
    for number, record in enumerate(cycle(list(sample_records()))):
        yield json.dumps({**record, "user_exam_id": f"{number}"}).encode()


def publish(
    broker: KafkaBroker, customer: str, messages: int, rate: int, sent: list[float] | None = None
) -> int:
    """So many messages, at `rate` a second if it isn't 0; notes when each was sent."""
    producer = Producer(
        {**broker.client(), "linger.ms": 5, "queue.buffering.max.messages": 500_000}
    )
    size, began = 0, time.time()
    for number, value in zip(range(messages), values(), strict=False):
        if rate:
            time.sleep(max(0.0, began + number / rate - time.time()))
        producer.produce(topic_of(customer), value)
        producer.poll(0)
        size += len(value)
        if sent is not None:
            sent.append(time.time())
    assert producer.flush(300) == 0
    return size


def latencies(broker: KafkaBroker, customer: str, rate: int, seconds: int) -> dict[str, Any]:
    """Of the messages of the last `seconds`; those before them are the warm-up."""
    make_topic(broker, customer)
    warm_up = max(20, seconds // 2) * rate
    messages = warm_up + rate * seconds
    sent: list[float] = []
    sender = threading.Thread(target=publish, args=(broker, customer, messages, rate, sent))
    sender.start()
    lake = LakeResource.from_settings(Settings(), SparkEngine()).lake
    seen: list[float] = []
    version, give_up = -1, time.time() + 10 * seconds + 300
    while len(seen) < messages and time.time() < give_up:
        pinned = lake.pin_existing(EXAM_COUNTS, customer)
        if pinned is not None and pinned.version != version:
            version = pinned.version
            counted = pinned.look_up("select sum(messages) as number from pinned")[0]["number"] or 0
            seen += [time.time()] * (counted - len(seen))
        time.sleep(0.1)
    sender.join()
    assert len(seen) >= messages, f"{len(seen)} of {messages} messages were seen"
    delete_topic(broker, customer)
    waited = [at - began for began, at in zip(sent, seen, strict=True)][warm_up:]
    p50, p95 = (statistics.quantiles(waited, n=100)[at - 1] for at in (50, 95))
    return {"p50": p50, "p95": p95, "most": max(waited), "versions": version}


@contextmanager
def running(command: list[str], log: Path) -> Iterator[None]:
    """A process and what it starts, until the end; stopped as by Ctrl-C."""
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True)
        try:
            yield
            assert process.poll() is None, log.read_text()[-2000:]
        except BaseException:
            print(log.read_text()[-2000:], file=sys.stderr)
            raise
        finally:
            process.send_signal(signal.SIGINT)  # not to what it started: runs end with it
            with suppress(subprocess.TimeoutExpired):
                process.wait(60)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def show(told: dict[str, Any]) -> None:
    every = told["all tables"]
    rate, size = (every[name] / every["seconds"] for name in ("messages", "bytes"))
    print(f"all tables    {rate:,.0f} messages/s, {size / 1e6:.1f} MB/s, with checks, recorded")
    for way, goal in GOALS.items():
        of = told[way]
        met = "met" if of["p95"] < goal else "not met"
        print(
            f"{way:<14}p50 {of['p50']:.1f} s, p95 {of['p95']:.1f} s at {told['rate']} messages/s; "
            f"the goal of p95 under {goal:.0f} s is {met}."
        )
    say_if_busy(told)


if __name__ == "__main__":
    main()
