"""Runs of this Dagster instance that are under way and have told nothing for a while.

A run whose process was killed together with its code server stays "started", and what waits for its
customer's turn waits with it: Dagster's default launcher can't tell. Nor can we; a person can.
"""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import dagster as dg

QUIET: Final = timedelta(minutes=10)  # longer than a step of a large customer tells nothing


class Unfinished(NamedTuple):
    """A run that has begun and not ended; the minutes since its last event."""

    run_id: str
    customers: list[str]
    quiet_minutes: int

    @property
    def told(self) -> str:
        return (
            f"run {self.run_id} of {', '.join(self.customers) or 'nobody'} is under way and has "
            f"told nothing for {self.quiet_minutes} minutes"
        )

    @property
    def fix(self) -> str:
        return (
            "if its process is gone, end it, as other runs of its customers wait for it: in the UI "
            "Runs, Terminate, Force termination immediately; or `dagster run delete "
            f"{self.run_id}`. The next run finishes what it had begun"
        )


def quiet_runs(instance: "dg.DagsterInstance", now: datetime | None = None) -> list[Unfinished]:
    """Those whose last event is older than `QUIET`, the longest first."""
    import dagster as dg

    from assess_assets.automation.being_run import UNDER_WAY, customers_of_run

    now = now or datetime.now(UTC)
    found = []
    for run in instance.get_runs(dg.RunsFilter(statuses=list(UNDER_WAY))):
        last = instance.event_log_storage.get_logs_for_run(run.run_id, limit=1, ascending=False)
        quiet = now - datetime.fromtimestamp(last[0].timestamp, UTC) if last else timedelta()
        if quiet > QUIET:
            minutes = int(quiet.total_seconds() // 60)
            found.append(Unfinished(run.run_id, customers_of_run(instance, run), minutes))
    return sorted(found, key=lambda one: -one.quiet_minutes)
