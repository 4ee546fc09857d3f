"""What a command says of a failed step: our own error, and not what lies beneath it."""

import dagster as dg
import pytest

from assess_assets.cli.running import told_failure
from assess_assets.storage.delta import LostRace

ENGINES = "Traceback (most recent call last):\nRuntimeError: the target moved: pinned 2, now 3"


def told(error: Exception, cause: Exception | None) -> str:
    """As it is read from the event of a step that failed so."""

    @dg.op
    def step() -> None:
        raise error from cause

    @dg.job
    def run() -> None:
        step()

    with dg.DagsterInstance.ephemeral() as instance:
        result = run.execute_in_process(instance=instance, raise_on_error=False)
    (event,) = result.get_step_failure_events()
    return told_failure(event.step_failure_data.error)


@pytest.mark.parametrize(
    ("error", "cause", "expected"),
    [
        (LostRace("Run it again."), OSError(ENGINES), f"{LostRace.__module__}.LostRace: Run it "),
        (ValueError("wrapped"), OSError("the disk is full"), "OSError: the disk is full"),
        (ValueError("wrapped"), LostRace("Run it again."), f"{LostRace.__module__}.LostRace: Run"),
    ],
)
def test_a_failure_is_told_by_the_first_error_of_ours_or_else_by_the_last_cause(
    error: Exception, cause: Exception, expected: str
) -> None:
    message = told(error, cause)
    assert message.startswith(expected)
    assert "Traceback" not in message
