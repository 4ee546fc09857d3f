"""customer_overview: one row per customer, for the operator alone.

The only table that customers share, outside of every customer's folder. It is written here and not
by the IO manager: all customers of a run in one commit. Runs may race for it; the loser is refused
by the gate and tries again from fresh reads.
"""

from typing import Any

import dagster as dg

from assess_assets.assets.builds import running_versions
from assess_assets.assets.each_customer import customers_of, each_customer
from assess_assets.assets.specs import customer_asset
from assess_assets.resources.lake import LakeResource
from assess_assets.storage.delta import LostRace, committed, replace
from assess_assets.storage.io_manager import Tables
from assess_assets.storage.lake import Lake, PerCustomer
from assess_assets.storage.protocol import require_build
from assess_assets.tables.ingest import BUILDS, SOURCE_RANGES
from assess_assets.tables.reports import CUSTOMER_OVERVIEW
from assess_assets.transforms.customer_overview import overview

Row = dict[str, Any]


@customer_asset(CUSTOMER_OVERVIEW, deps=["source_ranges", "builds"])
def customer_overview(
    context: dg.AssetExecutionContext,
    lake: LakeResource,
    raw_messages: Tables,
    message_ledger: Tables,
    exams: Tables,
) -> PerCustomer[Row]:
    """One row per customer: the operator's only table across customers.

    Messages by fate, attempts, exams, the last message and the last run that had news.
    """
    upstream = {"raw_messages": raw_messages, "message_ledger": message_ledger, "exams": exams}
    policies = lake.policies
    shared = lake.lake.pin(CUSTOMER_OVERVIEW, customers_of(context)[0])
    known = {row.customer: row.asDict() for row in lake.lake.read(shared).collect()}

    def look(customer: str) -> Row:
        build = lake.lake.current_build(customer, running_versions(policies.of(customer)))
        return overview_of(lake.lake, customer, build.number, upstream)

    rows = each_customer(context, lake.lake, look)
    changed = [row for customer, row in rows.items() if row != known.get(customer)]
    if changed:
        frame = lake.lake.spark.createDataFrame(changed, CUSTOMER_OVERVIEW.schema)
        keys = ", ".join(f"'{row['customer']}'" for row in changed)  # safe: keys are [a-z0-9_-]
        try:
            replace(shared, frame, f"customer in ({keys})", {"run_id": context.run.run_id})
        except LostRace as lost:
            raise dg.RetryRequested(max_retries=5, seconds_to_wait=0.2) from lost
    commit = committed(lake.lake.pin(CUSTOMER_OVERVIEW, shared.customer))
    return rows.map(
        lambda row: {
            **{name: value for name, value in row.items() if isinstance(value, int)},
            "dagster/partition_row_count": 1,
            "dagster/uri": shared.uri,
            "table_version": commit.version,
        }
    )


def overview_of(lake: Lake, customer: str, build: int, upstream: dict[str, Tables]) -> Row:
    """The customer's row, made from pinned tables of its current build."""
    ledger = lake.progress(upstream["message_ledger"].pin(customer))
    require_build(customer, "message_ledger", build, ledger)
    row = overview(
        customer,
        upstream["raw_messages"][customer],
        upstream["message_ledger"][customer],
        upstream["exams"][customer],
        lake.read(lake.pin(SOURCE_RANGES, customer)),
        lake.read(lake.pin(BUILDS, customer)),
    )
    pair = {"build": build, "batch": ledger.highest_batch}
    return {**row.collect()[0].asDict(), **pair}
