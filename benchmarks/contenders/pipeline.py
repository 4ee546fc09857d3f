"""This project: a Dagster run of every asset and check, on the engine that ASSESS_SPARK names.

It stores the messages, validates each, decides its fate against all others, keeps the ledger and
what was refused, and checks all of it; then it makes what the others make, and the reports.
"""

import os
import time
from collections.abc import Mapping

import dagster as dg

from assess_assets.cli.running import QUIET
from assess_assets.definitions import build_definitions
from assess_assets.settings import Settings
from assess_assets.storage.layout import LakeLayout
from assess_assets.storage.sandbox import open_tables, query, sql_over
from benchmarks.contenders.telling import arguments, tell

CUSTOMER = "bench"
COUNTED = {
    "attempts": "assessments",
    "questions": "questions",
    "options": "options",
    "messages": "message_ledger",
}
EXAMS = """
    select exam_name, attempts, questions_correct as correct, questions_total as total,
        average_score, all_correct_attempts as all_correct
    from exam_performance
"""
DIFFICULTY = """
    select base_exam_id, question_id, shown, answered, incorrect + missed_some as wrong
    from question_difficulty
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
    layout = LakeLayout.of(str(out / "lake"))
    opened = open_tables(layout, CUSTOMER)
    # By the Delta logs: to scan the tables here took more memory than the run, and counted as its.
    counts = {name: table.count() for name in COUNTED if (table := opened[COUNTED[name]])}
    tables = sql_over(opened, CUSTOMER)
    exams, difficulty = (query(tables, sql).to_pylist() for sql in (EXAMS, DIFFICULTY))
    tell(seconds, counts, exams, difficulty)


if __name__ == "__main__":
    main()
