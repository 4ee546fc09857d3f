"""Customers that failed in a step are left out of the rest of that run; tags of the run say so.

Tags, because every step can read them in any process, and people see them beside the run. They
name the run: Dagster gives a run that is re-executed all tags of the run before it.
"""

from collections.abc import Mapping

import dagster as dg

TAG = "assess_set_aside/"
MAX_SIGNS = 300


class SetAside(Exception):
    """An earlier step of the same run failed for this customer."""


def set_aside(
    instance: dg.DagsterInstance, run_id: str, step: str, reasons: Mapping[str, object]
) -> None:
    """Later steps of this run leave these customers out."""
    tags = {
        f"{TAG}{customer}": f"{step}: {_first_line(reason)}{_in(run_id)}"
        for customer, reason in reasons.items()
        if not isinstance(reason, SetAside)
    }
    if tags:
        instance.add_run_tags(run_id, tags)


def set_aside_in(instance: dg.DagsterInstance, run_id: str) -> dict[str, str]:
    """Step and reason, by customer."""
    run = instance.get_run_by_id(run_id)
    return {
        key.removeprefix(TAG): told.removesuffix(_in(run_id))
        for key, told in (run.tags if run else {}).items()
        if key.startswith(TAG) and told.endswith(_in(run_id))
    }


def _in(run_id: str) -> str:
    return f" (run {run_id})"


def _first_line(reason: object) -> str:
    return (str(reason).splitlines() or [type(reason).__name__])[0][:MAX_SIGNS]
