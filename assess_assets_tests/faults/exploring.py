"""The machine as a report: how far it came, and what it found if it found anything."""

import time
from typing import Any

from assess_assets.resources.spark import SparkEngine
from assess_assets_tests.faults.machine import Explored, explore
from assess_assets_tests.faults.watching import Violation


def explored(engine: str, steps: int, seed: int, lakes: str | None = None) -> dict[str, Any]:
    """Play so many steps on the engine; `lakes` as for `explore`."""
    so_far, violation, started = Explored(), None, time.monotonic()
    if steps:
        spark = SparkEngine(url=engine).session
        try:
            explore(spark, so_far, steps, start=seed, shrink=True, lakes=lakes)
        except (Violation, Exception) as error:
            notes = "\n".join(getattr(error, "__notes__", []))
            violation = f"the machine: {type(error).__name__}: {error}\n{notes}"
    return {
        "engine": engine.partition(":")[0],
        "sequences": so_far.sequences,
        "steps": so_far.steps,
        "versions_compared": so_far.versions,
        "seconds": round(time.monotonic() - started),
        "violation": violation,
    }
