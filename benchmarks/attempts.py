"""The pipeline beside hand-written programs on the same messages, in one run.

Belongs here: making the messages, starting the contenders one after another, comparing what they
counted, the table. Does not: what a contender does (`contenders/`).

    python -m benchmarks.attempts [--attempts N] [--only NAME ...] [--out FILE]

Each contender is a process; its seconds are its own work, from files to aggregates, with the start
of its engine but without Python's imports. Memory is the peak of the resident sizes of the process
and its children, looked at 20 times a second.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from assess_assets.sample.templates import Templates

SEED = 20180201
MESSAGES_PER_FILE = 25_000
YARDSTICK = "DuckDB, by hand"
TOLERANCE = 1e-9  # of a mean of scores; everything else is equal
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Contender:
    """A program, and the engine that it is told to use."""

    name: str
    module: str
    engine: str = ""


CONTENDERS = (
    Contender("assess_assets on Sail", "pipeline", "sail"),
    Contender("DuckDB, by hand", "duckdb_sql"),
    Contender("Polars, by hand", "polars_frames"),
    Contender("Spark local[2], by hand", "spark_frames"),
    Contender("notebook's method, Spark local[2]", "notebook_rdd"),
    Contender("assess_assets on Spark local[2]", "pipeline", "local[2]"),
)


@dataclass(frozen=True)
class Measured:
    """What one contender took, and what it told."""

    name: str
    seconds: float
    process_seconds: float
    peak_bytes: int
    disk_bytes: int
    told: dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--attempts", type=int, default=200_000)
    parser.add_argument("--only", nargs="*", default=[each.name for each in CONTENDERS])
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="assess-bench-") as name:
        source = Path(name) / "messages"
        size = write_messages(source, asked.attempts)
        print(f"{asked.attempts:,} attempts, {size / 1e6:,.0f} MB of JSON", flush=True)
        found = [
            measure(contender, source, Path(name) / "out")
            for contender in CONTENDERS
            if contender.name in asked.only
        ]
    differences = compare(found)
    lines = table(found, asked.attempts)
    print("\n".join([*lines, *differences]))
    told = [{**vars(each), "told": None} for each in found]
    asked.out.write_text(
        json.dumps({"attempts": asked.attempts, "bytes": size, "contenders": told}, indent=2) + "\n"
    )
    sys.exit(1 if differences else 0)


def write_messages(folder: Path, attempts: int) -> int:
    """Lines of JSON, each an attempt of its own; the same ones every time. Returns bytes."""
    folder.mkdir()
    templates = Templates(Random(SEED))
    for first in range(0, attempts, MESSAGES_PER_FILE):
        with (folder / f"lines-{first:09d}.ndjson").open("wb") as file:
            for _ in range(min(MESSAGES_PER_FILE, attempts - first)):
                file.write(templates.message() + b"\n")
    return sum(path.stat().st_size for path in folder.iterdir())


def measure(contender: Contender, source: Path, out: Path) -> Measured:
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    print(f"{contender.name} ...", end=" ", flush=True)
    environment = {**os.environ, "ASSESS_SPARK": contender.engine, "PYTHONWARNINGS": "ignore"}
    began, peak = time.perf_counter(), 0
    with (out / "told.json").open("wb") as told, (out / "errors.txt").open("wb") as errors:
        module = f"benchmarks.contenders.{contender.module}"
        process = subprocess.Popen(
            [sys.executable, "-m", module, source, out],
            stdout=told,
            stderr=errors,
            env=environment,
        )
        while process.poll() is None:
            peak = max(peak, resident_bytes(process.pid))
            time.sleep(0.05)
    whole = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"failed:\n{(out / 'errors.txt').read_text()[-3000:]}")
    answer = json.loads((out / "told.json").read_text().splitlines()[-1])
    print(f"{answer['seconds']:.1f} s", flush=True)
    disk = sum(file.stat().st_size for file in out.rglob("*.parquet"))
    return Measured(contender.name, answer.pop("seconds"), whole, peak, disk, answer)


def resident_bytes(pid: int, pages_of_parent: int = 0) -> int:
    """Resident memory of a process and all that it started (Linux).

    Between fork and exec a child has its parent's memory, of the same size: it counts once.
    """
    try:
        statm = Path(f"/proc/{pid}/statm").read_text().split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        threads = Path(f"/proc/{pid}/task").iterdir()
        of_threads = [
            child
            for thread in threads
            if thread.name != str(pid)
            for child in (thread / "children").read_text().split()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return 0
    pages, resident = int(statm[0]), int(statm[1])
    if pages == pages_of_parent:
        return 0
    started = [int(child) for child in [*children, *of_threads]]
    return resident * PAGE + sum(resident_bytes(child, pages) for child in started)


def compare(found: list[Measured]) -> list[str]:
    """Where a contender's counts or aggregates are not the first one's."""
    differences = []
    for one in found[1:]:
        for name in ("attempts", "questions", "options"):
            if one.told["counts"][name] != found[0].told["counts"][name]:
                differences.append(f"{one.name}: {name} {one.told['counts'][name]}")
        for name in ("exams", "questions"):
            if not alike(one.told[name], found[0].told[name]):
                differences.append(f"{one.name}: other {name} than {found[0].name}")
    return differences


def alike(left: Any, right: Any) -> bool:
    if isinstance(left, list):
        return len(left) == len(right) and all(map(alike, left, right))
    if isinstance(left, float):
        return bool(abs(left - right) <= TOLERANCE)
    return bool(left == right)


def table(found: list[Measured], attempts: int) -> list[str]:
    seconds = {one.name: one.seconds for one in found}
    yardstick = seconds.get(YARDSTICK, found[0].seconds)
    lines = [f"{'':36}{'seconds':>9}{'ratio':>7}{'rows/s':>10}{'peak MB':>9}{'disk MB':>9}"]
    lines += [
        f"{one.name:36}{one.seconds:9.1f}{one.seconds / yardstick:7.2f}"
        f"{attempts / one.seconds:10,.0f}{one.peak_bytes / 1e6:9,.0f}{one.disk_bytes / 1e6:9,.0f}"
        for one in found
    ]
    return [*lines, f"ratio: to {YARDSTICK}" if YARDSTICK in seconds else "ratio: to the first"]


if __name__ == "__main__":
    main()
