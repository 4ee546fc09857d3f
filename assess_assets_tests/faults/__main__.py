"""`make faults`: thousands of steps of the machine, hundreds of kills, a table of what they did.

python -m assess_assets_tests.faults --kills 500 --failures 25 --steps 3000 --out faults.json
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from assess_assets_tests.faults.exploring import explored
from assess_assets_tests.faults.harness import Harness, faults
from assess_assets_tests.faults.tallies import table, total


def main(arguments: list[str] | None = None) -> int:
    """Exit 0 if nothing was lost, repeated, torn or left to be repaired by hand."""
    asked = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="assess-faults-") as folder:
        report = _inflict(Path(folder), asked)
    report["machine"] = explored(asked.engine, asked.steps, asked.seed, asked.lakes)
    print(table(report["faults"]))
    print(json.dumps(report["machine"]))
    for told in [*report["told"], *filter(None, [report["machine"]["violation"]])]:
        print(told, file=sys.stderr)
    if asked.out:
        asked.out.write_text(json.dumps(report, indent=2) + "\n")
        print(f"Written to {asked.out}")
    return 1 if report["told"] or report["machine"]["violation"] else 0


def _inflict(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    harness, started = Harness(folder, asked.seed, asked.dagster_every), time.monotonic()
    planned = faults(asked.kills, asked.failures)
    for number, kind in enumerate(planned, 1):
        tally = harness.inflict(kind)
        for told in [*tally.told[-1:], *harness.crashes[-1:]]:
            print(told, file=sys.stderr, flush=True)
        if number % 25 == 0:  # an hour's work: what is known is written as it goes
            print(table(_reported(harness, started)["faults"]), file=sys.stderr, flush=True)
    return _reported(harness, started)


def _reported(harness: Harness, started: float) -> dict[str, Any]:
    tallies = [tally for tally in harness.tallies.values() if tally.number]
    return {
        "faults": [tally.as_json() for tally in [*tallies, total(tallies)]],
        "told": [told for tally in tallies for told in tally.told],
        "crashes": harness.crashes,
        "seconds_of_faults": round(time.monotonic() - started),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="assess_assets_tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--failures", type=int, default=25, help="of each kind that is no kill")
    parser.add_argument("--steps", type=int, default=3000, help="of the machine")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dagster-every", type=int, default=10, help="0: never")
    parser.add_argument("--engine", default="sail", help="of the machine: sail or local[2]")
    parser.add_argument("--lakes", help="URI of a folder for the machine's lakes, e.g. hdfs://...")
    parser.add_argument("--out", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
