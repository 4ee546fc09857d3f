"""customer_overview: one row per customer, for the operator alone.

The only table that customers share, outside of every customer's folder. It is written here and not
by the IO manager: all customers of a run in one commit. Runs may race for it; the loser is refused
by the gate and tries again from fresh reads.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from pyspark.sql import functions as F

from assess_assets.assets.each_customer import each_customer
from assess_assets.assets.snapshots import Watermark, read_frames, read_watermark
from assess_assets.assets.specs import customer_asset
from assess_assets.customer_names import EVERYBODY
from assess_assets.resources.lake import LakeResource
from assess_assets.storage.delta import LostRace, committed, replace
from assess_assets.storage.io_manager import MAX_PREVIEWS, Tables, table_metadata
from assess_assets.storage.lake import Lake, PerCustomer
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
    assessments: Tables,
    exams: Tables,
) -> PerCustomer[Row]:
    """One row per customer: the operator's only table across customers.

    Messages by fate, attempts, exams, the last message and the last run that had news.
    """
    upstream = {"message_ledger": message_ledger, "assessments": assessments, "exams": exams}
    policies = lake.policies  # read once: they are a file
    shared = lake.lake.pin(CUSTOMER_OVERVIEW, EVERYBODY)
    known = {row.customer: row.asDict() for row in lake.lake.read(shared).collect()}

    def look(customer: str) -> Row:
        upto = read_watermark(lake.lake, customer, policies.of(customer))
        return overview_of(lake.lake, upto, raw_messages, upstream)

    rows = each_customer(context, lake.lake, look)

    def is_new(row: Row) -> bool:
        return row != known.get(row["customer"])

    if changed := [row for row in rows.values() if is_new(row)]:
        frame = lake.lake.spark.createDataFrame(changed, CUSTOMER_OVERVIEW.schema)
        keys = ", ".join(f"'{row['customer']}'" for row in changed)  # safe: keys are [a-z0-9_-]
        try:
            replace(shared, frame, f"customer in ({keys})", {"run_id": context.run.run_id})
        except LostRace as lost:
            raise dg.RetryRequested(max_retries=5, seconds_to_wait=0.2) from lost
    current = lake.lake.pin(CUSTOMER_OVERVIEW, shared.customer)
    commit = committed(current)

    def told(row: Row) -> Row:
        """Of the customer's row; `size_bytes` is the whole table's."""
        its_row = f"customer = '{row['customer']}'"
        is_shown = len(rows) <= MAX_PREVIEWS
        return {
            **table_metadata(current, commit, is_new(row), is_shown, its_row),
            **{name: value for name, value in row.items() if isinstance(value, int)},
            "dagster/partition_row_count": 1,
        }

    return rows.map(told)


def overview_of(
    lake: Lake, upto: Watermark, raw_messages: Tables, upstream: Mapping[str, Tables]
) -> Row:
    """The customer's row as of the watermark. Raises UpstreamNotReady if a table isn't as far."""
    customer, frames = upto.customer, read_frames(lake, upto, upstream)
    handled = F.col("batch") <= upto.batch
    row = overview(
        customer,
        raw_messages[customer].where(handled),
        frames,
        lake.read(lake.pin(SOURCE_RANGES, customer)).where(handled),
        lake.read(lake.pin(BUILDS, customer)).where(F.col("build") <= upto.build),
    )
    return {**row.collect()[0].asDict(), "build": upto.build, "batch": upto.batch}
