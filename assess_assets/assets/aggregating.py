"""The step that all aggregates share: made as a whole, and skipped when nothing is new."""

from collections.abc import Callable, Mapping

import dagster as dg
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from assess_assets.assets.each_customer import replace_each
from assess_assets.assets.snapshots import Frames, read_frames, read_watermark
from assess_assets.customers import CustomerPolicy
from assess_assets.resources.lake import LakeResource
from assess_assets.storage.io_manager import Tables
from assess_assets.storage.lake import Lake, Replacement, Replacements
from assess_assets.storage.protocol import Progress
from assess_assets.tables.contract import TableContract

__all__ = ["Frames", "aggregate_customer", "aggregate_each"]


def aggregate_each(
    context: dg.AssetExecutionContext,
    lake: LakeResource,
    table: TableContract,
    make: Callable[[Frames], DataFrame],
    upstream: Mapping[str, Tables],
    rows: int | None = None,
) -> Replacements:
    """`aggregate_customer` for every customer of the run."""
    return replace_each(
        context,
        lake,
        lambda tables, customer, policy: aggregate_customer(
            tables, customer, policy, table, make, upstream, rows
        ),
    )


def aggregate_customer(
    lake: Lake,
    customer: str,
    policy: CustomerPolicy,
    table: TableContract,
    make: Callable[[Frames], DataFrame],
    upstream: Mapping[str, Tables],
    rows: int | None = None,
) -> Replacement:
    """Replace the whole table by what `make` makes of its upstream, up to the ledger's watermark.

    Rows carry the (build, batch) they were made from; while that pair is current, nothing is
    done. `rows`, if the table always has as many: then with another number it is made again.
    """
    target = lake.pin(table, customer)
    upto = read_watermark(lake, customer, policy)
    facts = {"build": upto.build, "batch": upto.batch}
    own = lake.progress(target)
    whole = own.rows if rows is None else rows
    unchanged = own == Progress(whole, upto.build, upto.build, upto.batch)
    if unchanged or not (own.rows or upto.messages):
        return Replacement(target, facts=facts)

    frames = read_frames(lake, upto, upstream)
    pair = {name: F.lit(value).cast("bigint") for name, value in facts.items()}
    made = make(frames).withColumns(pair).orderBy(*table.order)
    return Replacement(target, made, "true", facts, one_file=True)
