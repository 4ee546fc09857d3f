"""A customer with a topic and a lake of its own on a real platform, and what must hold of both.

Belongs here: what is published, and comparing it. Does not: faults and runs (`platform_harness`).
"""

from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, cast

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from assess_assets.sources.kafka_config import KafkaConfig
from assess_assets_tests.deliveries import message, of_every_fate, text
from assess_assets_tests.faults.machine import policy, tested
from assess_assets_tests.faults.publishing import Publisher, lost_and_repeated
from assess_assets_tests.faults.runs import Deployed
from assess_assets_tests.faults.watching import Watch, rows_at
from assess_assets_tests.steps import Steps


class PublishedCustomer:
    """A customer with a topic and a lake of its own, and what its producer knows."""

    def __init__(self, deployed: Deployed, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.deployed = deployed
        self.folder = folder
        self.publisher = Publisher(KafkaConfig(deployed.kafka or ""), deployed.customer)
        self.policy_version = 1
        self.logs: dict[tuple[str, int], list[str]] = {}
        # No session: this process reads logs and Parquet, and lets others run engines.
        self.steps = Steps(
            cast(Any, None), folder, policy(1), customer=deployed.customer, lake_uri=deployed.lake
        )
        self.watch = Watch(self.steps.uri, self.logs, tested)

    def deliver(self, number: int) -> None:
        """Messages of every fate, while nothing else happens."""
        self.publisher.publish(text(each) for each in of_every_fate(f"{number}-"))

    def messages(self, number: int) -> Iterator[str]:
        """For as long as somebody asks."""
        return (text(message(f"{number}-{each}")) for each in count())

    def require_complete(self) -> None:
        """Every table is what the topic says. Raises Violation."""
        self.logs.update(self.publisher.log())
        self.watch.require_complete()

    def lost_and_repeated(self) -> tuple[int, int]:
        """Of the messages that were acknowledged; and raw_messages against the ledger."""
        raw, ledger = (self._places(name) for name in ("raw_messages", "message_ledger"))
        publisher = self.publisher
        lost, repeated = lost_and_repeated(publisher.acknowledged, publisher.unknown, raw)
        judged = Counter(place[:2] for place in raw)
        fates = Counter(place[:2] for place in ledger)
        return lost + (judged - fates).total(), repeated + (fates - judged).total()

    def _places(self, name: str) -> list[tuple[int, int, bytes]]:
        uri = self.steps.uri(name)
        try:
            rows = rows_at(uri, DeltaTable(uri).version())
        except TableNotFoundError:
            return []  # no run came as far
        return [(row["partition"], row["offset"], row.get("value") or b"") for row in rows]
