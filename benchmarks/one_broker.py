"""A Kafka broker for one measurement, and a word about a machine that was busy meanwhile."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assess_assets.platform.kafka import KafkaBroker


@contextmanager
def one_broker(heap: str = "256m") -> Iterator[tuple[KafkaBroker, Path]]:
    """The broker, started, and a folder; both are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="assess-bench-") as name:
        broker = KafkaBroker(Path(name) / "kafka", heap=heap)
        try:
            broker.start()
            yield broker, Path(name)
        finally:
            broker.stop()


def say_if_busy(told: Mapping[str, Any]) -> None:
    """`told` has `load_average` and `cores`."""
    if told["load_average"] > (told["cores"] or 1):
        print(f"The machine was busy (load {told['load_average']:.0f}): measure again when idle.")
