"""Whom a run of this Dagster instance is for, while it has not ended."""

import dagster as dg

from assess_assets.customers import CUSTOMERS

PARTITION = "dagster/partition"
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
ENDED = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
UNDER_WAY = (
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
NOT_ENDED = [status for status in dg.DagsterRunStatus if status not in ENDED]


def being_run(instance: dg.DagsterInstance) -> dict[str, str]:
    """Customers with a run that is under way, or else queued: its id."""
    found: dict[str, str] = {}
    runs = instance.get_runs(dg.RunsFilter(statuses=NOT_ENDED))
    for run in sorted(runs, key=lambda run: run.status not in UNDER_WAY):
        for customer in customers_of_run(instance, run):
            found.setdefault(customer, run.run_id)
    return found


def run_with(instance: dg.DagsterInstance, customer: str, registered: list[str]) -> str | None:
    """A run for the customer, or for everybody, that has not ended. Whom a range holds is asked of
    `registered`: the customer's key may be gone by now."""
    for run in instance.get_runs(dg.RunsFilter(statuses=NOT_ENDED)):
        is_for_all = PARTITION not in run.tags and RANGE[0] not in run.tags
        if is_for_all or customer in customers_of_run(instance, run, registered):
            return run.run_id
    return None


def customers_of_run(
    instance: dg.DagsterInstance, run: dg.DagsterRun, registered: list[str] | None = None
) -> list[str]:
    """The partitions that a run's tags name."""
    if PARTITION in run.tags:
        return [run.tags[PARTITION]]
    first, last = (run.tags.get(tag) for tag in RANGE)
    keys = registered
    if keys is None:
        keys = list(instance.get_dynamic_partitions(CUSTOMERS.name or ""))
    if first not in keys or last not in keys:
        return []
    return keys[keys.index(first) : keys.index(last) + 1]


def ranges_of(registered: list[str], customers: set[str]) -> list[list[str]]:
    """Customers as runs: neighbours in order of registration are one range, as in a backfill."""
    runs: list[list[str]] = []
    before = None
    for position, customer in enumerate(registered):
        if customer in customers:
            if before == position - 1 and runs:
                runs[-1].append(customer)
            else:
                runs.append([customer])
            before = position
    return runs


def tags_of(customers: list[str]) -> dict[str, str]:
    """What says to Dagster whom a run is for."""
    if len(customers) == 1:
        return {PARTITION: customers[0]}
    return {RANGE[0]: customers[0], RANGE[1]: customers[-1]}
