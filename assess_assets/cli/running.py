"""A Dagster run in this process, recorded in the instance, told line by line.

Belongs here: running assets for one customer and telling what happens. Which assets, and what to
say afterwards, is the command's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    import dagster as dg
    from dagster_shared.error import SerializableErrorInfo

    from assess_assets.settings import Settings

_OURS = f"{__name__.partition('.')[0]}."  # a message begins with its class and module
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Told:
    """What a run said: how it ended, and every check that did not pass."""

    succeeded: bool = False
    outspoken: "list[dg.AssetCheckEvaluation]" = field(default_factory=list)


def run_customer(
    settings: "Settings",
    instance: "dg.DagsterInstance",
    customer: str,
    run_id: str,
    command: str,
    assets: "Sequence[dg.AssetKey] | None" = None,
) -> Told:
    """Materialize assets (all without `assets`) with their checks; progress goes to stderr."""
    from assess_assets.definitions import build_definitions

    told = Told()
    instance.add_event_listener(run_id, lambda entry: _tell(entry, told))
    result = (
        build_definitions(settings)
        .resolve_implicit_global_asset_job_def()
        .execute_in_process(
            instance=instance,
            partition_key=customer,
            asset_selection=assets,
            run_config=QUIET,
            run_id=run_id,
            raise_on_error=False,
            tags={"assess/command": command},
        )
    )
    told.succeeded = result.success
    return told


def _tell(entry: Any, told: Told) -> None:
    """One line per table made, check not passed and step failed."""
    event = entry.dagster_event
    if event is None:
        return
    match event.event_type_value:
        case "ASSET_MATERIALIZATION":
            metadata = event.step_materialization_data.materialization.metadata
            rows = metadata.get("dagster/partition_row_count")
            count = f"{rows.value:>8} rows" if rows else ""
            typer.echo(f"  {event.asset_key.to_user_string():26}{count}", err=True)
        case "ASSET_CHECK_EVALUATION" if not event.asset_check_evaluation_data.passed:
            check = event.asset_check_evaluation_data
            told.outspoken.append(check)
            typer.echo(
                f"  {check.severity.value}: check {check.check_name} of "
                f"{check.asset_key.to_user_string()} did not pass",
                err=True,
            )
        case "STEP_FAILURE":
            reason = told_failure(event.step_failure_data.error)
            typer.echo(f"  failed {event.step_key}: {reason}", err=True)


def told_failure(error: "SerializableErrorInfo | None") -> str:
    """The message of the first of the causes that is an error of ours, or of the last there is.

    Ours says what happened and what to do; what caused it may be an engine's whole traceback.
    """
    while error is not None and error.cause is not None and not error.message.startswith(_OURS):
        error = error.cause
    return error.message.strip() if error else "failed"
