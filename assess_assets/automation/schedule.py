"""weekly_maintenance: the schedule that has every customer's tables compacted and cleaned.

Belongs here: when, and for whom. What maintenance does is assets/lake_maintenance's.
"""

import dagster as dg

from assess_assets.automation.jobs import MAINTAIN_CUSTOMERS
from assess_assets.customer_names import keys_among
from assess_assets.customers import CUSTOMERS


@dg.schedule(
    job=MAINTAIN_CUSTOMERS,
    cron_schedule="0 3 * * 0",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Sundays at 03:00 UTC: lake_maintenance for every registered customer, in a run "
    "each, which takes turns with the customer's other runs.",
)
def weekly_maintenance(
    context: dg.ScheduleEvaluationContext,
) -> dg.SkipReason | list[dg.RunRequest]:
    """A run for each customer: one for them all would take turns with nobody."""
    registered = context.instance.get_dynamic_partitions(CUSTOMERS.name or "")
    keys, _ = keys_among(registered)
    day = context.scheduled_execution_time.date()
    runs = [dg.RunRequest(run_key=f"{key} {day}", partition_key=key) for key in keys]
    return runs or dg.SkipReason("No customer is registered: assess customers sync")
