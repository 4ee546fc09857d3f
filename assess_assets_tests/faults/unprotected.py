"""The four protections of writing, each of which can be taken away alone.

For one purpose: to prove that the machine would notice. Each function changes exactly one thing,
for as long as the given MonkeyPatch lives.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from assess_assets.assets import assessments, exploding, snapshots
from assess_assets.storage import delta, protocol
from assess_assets.storage.builds import Build, Versions
from assess_assets.storage.delta import Pin
from assess_assets.storage.lake import Lake
from assess_assets.storage.protocol import Progress, Span

Remove = Callable[[pytest.MonkeyPatch], None]


def without_pins(patch: pytest.MonkeyPatch) -> None:
    """What a step reads is resolved when the engine executes it, not when the step decided."""

    def read(self: Pin, spark: SparkSession) -> DataFrame:
        frame = spark.read.format("delta").load(self.uri)
        return frame.select(*self.table.column_names)

    patch.setattr(Pin, "read", read)


def without_bounds(patch: pytest.MonkeyPatch) -> None:
    """New batches are appended: a write does not name the rows that it replaces."""
    patch.setattr(Span, "bounds", property(lambda span: "true" if span.rebuild else "false"))
    patch.setattr(delta, "_bounded", lambda frame, table, bounds: frame)


def without_the_gate(patch: pytest.MonkeyPatch) -> None:
    """A write does not look whether its target has moved since it was pinned."""

    def ungated(frame: DataFrame, target: DataFrame, uri: str, pinned: int) -> DataFrame:
        return target.limit(0).unionAll(frame)

    patch.setattr(delta, "gated", ungated)


def without_the_fence(patch: pytest.MonkeyPatch) -> None:
    """A run believes in the build that it read first, and does not stop for a later one."""
    read_now = Lake.current_build

    def read_once(
        self: Lake, customer: str, running: Versions, by_any_policy: bool = False
    ) -> Build:
        believed: dict[int, Build] = self.__dict__.setdefault("believed", {})
        if 0 not in believed:
            believed[0] = read_now(self, customer, running, by_any_policy)
        return believed[0]

    def parse_span(
        customer: str,
        build: int,
        raw_batch: int,
        ledger: Progress,
        tables: Mapping[str, Progress],
        fates: Mapping[str, int],
    ) -> Span:
        own = {name: _not_after(build, table) for name, table in tables.items()}
        return protocol.parse_span(
            customer, build, raw_batch, _not_after(build, ledger), own, fates
        )

    def explode_span(customer: str, build: int, ledger: Progress, own: Progress) -> Span:
        known = Progress(highest_batch=ledger.highest_batch)
        return protocol.explode_span(customer, build, known, _not_after(build, own))

    def require_nothing(*_: Any) -> None:
        return None

    patch.setattr(Lake, "current_build", read_once)
    patch.setattr(assessments, "parse_span", parse_span)
    patch.setattr(exploding, "explode_span", explode_span)
    for module in (exploding, snapshots):
        patch.setattr(module, "require_build", require_nothing)


def _not_after(build: int, table: Progress) -> Progress:
    """The same progress, as if no later build had written it."""
    return replace(
        table,
        lowest_build=min(table.lowest_build, build),
        highest_build=min(table.highest_build, build),
    )


PROTECTIONS: Mapping[str, Remove] = {
    "pin": without_pins,
    "bounds": without_bounds,
    "gate": without_the_gate,
    "fence": without_the_fence,
}
