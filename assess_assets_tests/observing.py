"""Observing a source as Dagster does, for a range or without one; what is recorded of it.

Belongs here: the run and reading it back. Does not: what a data version should say.
"""

from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.observe import observe

from assess_assets.definitions import build_definitions
from assess_assets_tests.conftest import Platform


def observe_source(
    platform: Platform, source: object, first: str | None = None, last: str | None = None
) -> tuple[dg.ExecuteInProcessResult, Sequence[dg.AssetObservation]]:
    """The run, and the observations that stay recorded, whether it succeeded or not."""
    resources = build_definitions(platform.settings).resources or {}
    done = observe(
        [source],  # type: ignore[list-item]
        instance=platform.instance,
        resources={name: each for name, each in resources.items() if name in ("engine", "lake")},
        raise_on_error=False,
        tags={
            "dagster/asset_partition_range_start": first,
            "dagster/asset_partition_range_end": last,
        }
        if first and last
        else {},
    )
    logged = platform.instance.all_logs(done.run_id, of_type=dg.DagsterEventType.ASSET_OBSERVATION)
    return done, [
        entry.get_dagster_event().asset_observation_data.asset_observation for entry in logged
    ]


def told_by_failure(done: dg.ExecuteInProcessResult) -> str:
    """What the one step that failed said."""
    assert not done.success
    (failure,) = (event for event in done.all_node_events if event.is_step_failure)
    return failure.step_failure_data.error_display_string
