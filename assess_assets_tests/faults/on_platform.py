"""`make faults-services`: faults of a real Kafka, HDFS and Spark, and a table of what they did.

python -m assess_assets_tests.faults.on_platform --engine sail --share 1 --out faults.json
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from assess_assets_tests.faults.exploring import explored
from assess_assets_tests.faults.platform_harness import BOUNDARIES, PlatformHarness
from assess_assets_tests.faults.real_platform import real_platform
from assess_assets_tests.faults.tallies import COLUMNS as ALL_COLUMNS
from assess_assets_tests.faults.tallies import table, total

# How many of each; of kills at a commit, one before and one after the commit to each table.
ON_SAIL = {
    "run killed at a commit": len(BOUNDARIES),
    "run killed at random": 14,
    "two runs at once": 14,
    "broker killed": 18,
    "DataNode killed": 14,
}
ON_SPARK = {"executor killed": 8, "Connect server killed": 8}
NOT_WATCHED = ("torn_reads", "versions_read")  # no reader polls here while runs write
COLUMNS = {name: told for name, told in ALL_COLUMNS.items() if name not in NOT_WATCHED} | {
    "slowest_first_commit": "slowest"
}


def main(arguments: list[str] | None = None) -> int:
    """Exit 0 if nothing was lost, repeated or left to be repaired by hand."""
    asked = _parser().parse_args(arguments)
    engines = ("sail", "spark") if asked.engine == "both" else (asked.engine,)
    reports = {}
    for engine in engines:
        with tempfile.TemporaryDirectory(prefix="assess-faults-") as folder:
            for report in _inflict(Path(folder), engine, asked):
                reports[engine] = report
                if asked.out:  # an hour's work: what is known is written as it goes
                    asked.out.parent.mkdir(parents=True, exist_ok=True)
                    asked.out.write_text(json.dumps(reports, indent=2) + "\n")
    for engine, report in reports.items():
        shown = {name: told for name, told in report.items() if name not in ("faults", "rounds")}
        print(f"On {engine}:\n{table(report['faults'], COLUMNS)}\n{json.dumps(shown, indent=2)}")
    wrong = [report["told"] or report["machine"]["violation"] for report in reports.values()]
    return 1 if any(wrong) else 0


def _inflict(folder: Path, engine: str, asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A report after each fault."""
    with real_platform(folder / "services", with_spark=engine == "spark") as platform:
        started = time.monotonic()
        every = asked.dagster_every
        harness = PlatformHarness(platform, folder / "customers", asked.seed, every)
        for kind in planned(ON_SPARK if engine == "spark" else ON_SAIL, asked.share, asked.seed):
            harness.inflict(kind)
            print(json.dumps(harness.rounds[-1]), file=sys.stderr, flush=True)
            yield reported(harness, time.monotonic() - started)
        report = reported(harness, time.monotonic() - started)
        remote = platform.spark.remote if platform.spark else "sail"
        steps = asked.steps_on_spark if platform.spark else asked.steps
        lakes = platform.hdfs.make_lake("/lakes-of-the-machine")
        yield report | {"machine": explored(remote, steps, asked.seed, lakes)}


def planned(kinds: Mapping[str, int], share: float, seed: int) -> list[str]:
    """The kinds in the order in which they come; at least one of each."""
    listed = [kind for kind, number in kinds.items() for _ in range(max(1, round(share * number)))]
    random.Random(seed).shuffle(listed)
    return listed


def reported(harness: PlatformHarness, seconds: float) -> dict[str, Any]:
    """Of all faults so far."""
    tallies = list(harness.tallies.values())
    every = total(tallies)
    return {
        "faults": [tally.as_json() for tally in [*tallies, every]],
        "told": [told for tally in tallies for told in tally.told],
        "messages_acknowledged": sum(
            one.publisher.acknowledged.total() for one in harness.customers
        ),
        "messages_unknown": sum(one.publisher.unknown.total() for one in harness.customers),
        "customers": len(harness.customers),
        "versions_compared": sum(one.watch.versions for one in harness.customers),
        "seconds_to_first_commit": {
            "p50": round(median(every.first_commits), 2) if every.first_commits else None,
            "max": max(every.first_commits, default=None),
        },
        "unnamed_errors": harness.unnamed,
        "reruns_that_said_run_again": [
            f"fault {done['fault']}: {said}"
            for done in harness.rounds
            for said in done.get("said_run_again", [])
        ],
        "seconds": round(seconds),
        "rounds": harness.rounds,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="assess_assets_tests.faults.on_platform")
    parser.add_argument("--engine", choices=("sail", "spark", "both"), default="both")
    parser.add_argument("--share", type=float, default=1.0, help="of the faults of each kind")
    parser.add_argument("--steps", type=int, default=300, help="of the machine, on Sail and HDFS")
    parser.add_argument("--steps-on-spark", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dagster-every", type=int, default=10, help="0: never")
    parser.add_argument("--out", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
