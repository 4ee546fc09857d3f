"""Dagster runs that `assess follow` makes in its own process.

Belongs here: one run, and whether its process lives. Not here: for whom, and when (`following`).
"""

import os
import socket
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import dagster as dg

from assess_assets.automation.being_run import tags_of
from assess_assets.cli.running import QUIET, told_failure
from assess_assets.definitions import build_definitions
from assess_assets.resources.spark import forget_checkpoints
from assess_assets.settings import Settings

COMMAND: Final = "assess/command"
PROCESS: Final = "assess/process"


def execute(
    instance: dg.DagsterInstance, job: str, customers: Sequence[str]
) -> dg.JobExecutionResult:
    """Run a job for neighbouring customers. Raises what Dagster itself, or its storage, does."""
    process = f"{socket.gethostname()}:{os.getpid()}"
    tags = {**tags_of(list(customers)), COMMAND: "follow", PROCESS: process}
    asked: Any = (settings_text(), job)  # Dagster types them as one
    made = dg.build_reconstructable_job(__name__, "job_of", asked)
    try:
        return dg.execute_job(made, instance, run_config=QUIET, tags=tags)
    finally:
        forget_checkpoints()


@cache
def job_of(settings: str, name: str) -> dg.JobDefinition:
    """The job, by the environment's settings; their text only tells deployments apart.

    Dagster asks for it anew in every run, by name and arguments, and keeps what it got.
    """
    return build_definitions(Settings()).resolve_job_def(name)


def settings_text() -> str:
    """Without secrets, as it goes into runs."""
    return Settings().model_dump_json()


def first_failure(result: dg.JobExecutionResult) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            return f"{event.step_key}: {told_failure(event.step_failure_data.error)}"
    return "the run failed before its first step"


def is_dead(process: str) -> bool:
    """Whether that process was on this machine and is gone."""
    host, _, number = process.rpartition(":")
    if host != socket.gethostname() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
