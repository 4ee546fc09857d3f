"""This project: a Dagster run of every asset and check, on the engine that ASSESS_SPARK names.

It stores the messages, validates each, decides its fate against all others, keeps the ledger and
what was refused, and checks all of it; then it makes what the others make, and the reports.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path

import dagster as dg
import duckdb

from assess_assets.definitions import build_definitions
from assess_assets.settings import Settings
from benchmarks.contenders.telling import arguments, tell

CUSTOMER = "bench"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
EXAMS = """
    select exam_name, attempts, questions_correct as correct, questions_total as total,
        average_score, all_correct_attempts as all_correct
    from {exam_performance}
"""
DIFFICULTY = """
    select base_exam_id, question_id, shown, answered, incorrect + missed_some as wrong
    from {question_difficulty}
"""


def run(settings: Settings, instance: dg.DagsterInstance) -> Mapping[str, float]:
    """Seconds of each step, by name."""
    job = build_definitions(settings).resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=instance, partition_key=CUSTOMER, run_config=QUIET, raise_on_error=True
    )
    return {
        event.step_key: event.step_success_data.duration_ms / 1000
        for event in result.all_events
        if event.is_step_success and event.step_key
    }


def main() -> None:
    source, out = arguments()
    landing = out / "landing"
    (landing / CUSTOMER).mkdir(parents=True)
    for file in source.iterdir():
        (landing / CUSTOMER / file.name).hardlink_to(file)
    settings = Settings(
        lake=str(out / "lake"), landing=landing, spark=os.environ.get("ASSESS_SPARK", "sail")
    )
    home = out / "dagster"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        instance.add_dynamic_partitions("customers", [CUSTOMER])
        began = time.perf_counter()
        run(settings, instance)
        seconds = time.perf_counter() - began
    tables = _Tables(out / "lake" / CUSTOMER)
    tell(
        seconds,
        {
            "attempts": tables.rows("assessments"),
            "questions": tables.rows("questions"),
            "options": tables.rows("options"),
            "messages": tables.rows("message_ledger"),
        },
        tables.ask(EXAMS),
        tables.ask(DIFFICULTY),
    )


class _Tables:
    """A customer's tables as an analyst reads them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def rows(self, table: str) -> int:
        (row,) = self.ask(f"select count(*) as number from {{{table}}}")
        return int(str(row["number"]))

    def ask(self, query: str) -> list[dict[str, object]]:
        from deltalake import DeltaTable

        names = ("exam_performance", "question_difficulty", "assessments", "questions", "options")
        named = {
            name: f"read_parquet({DeltaTable(str(self._folder / name)).file_uris()})"
            for name in (*names, "message_ledger")
        }
        found = duckdb.execute(query.format(**named))
        columns = [column[0] for column in found.description]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


if __name__ == "__main__":
    main()
