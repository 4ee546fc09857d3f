"""Runs whose process was killed: nobody can tell, so they are named when they have gone quiet."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from assess_assets.automation.being_run import being_run
from assess_assets.cli.unfinished_runs import QUIET, quiet_runs
from assess_assets.definitions import build_definitions
from assess_assets.settings import Settings


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        opened.add_dynamic_partitions("customers", ["acme", "globex"])
        yield opened


def a_run(
    instance: dg.DagsterInstance, customer: str, status: dg.DagsterRunStatus
) -> dg.DagsterRun:
    job = build_definitions(Settings()).resolve_job_def("update_customers")
    tags = {"dagster/partition": customer}
    run = instance.create_run_for_job(job, status=status, tags=tags)
    instance.report_engine_event("Started process for run.", run)
    return run


def test_a_run_that_has_told_nothing_for_long_is_named_with_the_way_out(
    instance: dg.DagsterInstance,
) -> None:
    dead = a_run(instance, "acme", dg.DagsterRunStatus.STARTED)
    a_run(instance, "globex", dg.DagsterRunStatus.NOT_STARTED)
    a_run(instance, "globex", dg.DagsterRunStatus.FAILURE)
    assert quiet_runs(instance) == []
    later = datetime.now(UTC) + QUIET + timedelta(minutes=5)
    (named,) = quiet_runs(instance, later)
    assert (named.run_id, named.customers) == (dead.run_id, ["acme"])
    assert 10 < named.quiet_minutes <= 15
    assert named.told.startswith(f"run {dead.run_id} of acme is under way and has told nothing for")
    assert f"dagster run delete {dead.run_id}" in named.fix
    instance.report_run_canceled(dead)
    assert quiet_runs(instance, later) == []


def test_whom_a_customer_waits_for_is_the_run_under_way_and_not_the_one_behind_it(
    instance: dg.DagsterInstance,
) -> None:
    under_way = a_run(instance, "acme", dg.DagsterRunStatus.STARTED)
    a_run(instance, "acme", dg.DagsterRunStatus.NOT_STARTED)
    assert being_run(instance) == {"acme": under_way.run_id}
