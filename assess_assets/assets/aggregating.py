"""The aggregate step that all exam aggregates share: made as a whole, skipped when nothing is new."""

from collections.abc import Callable, Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from assess_assets.assets.builds import running_versions
from assess_assets.customers import CustomerPolicy
from assess_assets.storage.io_manager import Tables
from assess_assets.storage.lake import Lake, Replacement
from assess_assets.storage.protocol import Progress, UpstreamNotReady, require_build
from assess_assets.tables.attempts import ASSESSMENTS, MESSAGE_LEDGER
from assess_assets.tables.contract import TableContract
from assess_assets.tables.detail import QUESTIONS

Frames = Mapping[str, DataFrame]


def aggregate_customer(
    lake: Lake,
    customer: str,
    policy: CustomerPolicy,
    table: TableContract,
    make: Callable[[Frames], DataFrame],
    upstream: Mapping[str, Tables],
) -> Replacement:
    """Replace the whole table by what `make` makes of its upstream, up to the ledger's watermark.

    Rows carry the (build, batch) they were made from; while that pair is current, nothing is done.
    """
    target = lake.pin(table, customer)
    build = lake.current_build(customer, running_versions(policy)).number
    ledger = lake.progress(lake.pin(MESSAGE_LEDGER, customer))
    require_build(customer, MESSAGE_LEDGER.name, build, ledger)
    batch = ledger.highest_batch
    facts = {"build": build, "batch": batch}
    own = lake.progress(target)
    if own == Progress(own.rows, build, build, batch) or not (own.rows or ledger.rows):
        return Replacement(target, facts=facts)

    frames: dict[str, DataFrame] = {}
    for name, tables in upstream.items():
        progress = lake.progress(tables.pin(customer))
        require_build(customer, name, build, progress)
        frames[name] = tables[customer].where(F.col("batch") <= batch)
        if name == QUESTIONS.name:
            _require_questions(customer, progress, upstream[ASSESSMENTS.name][customer], batch)
    pair = {"build": F.lit(build).cast("bigint"), "batch": F.lit(batch).cast("bigint")}
    made = make(frames).withColumns(pair).orderBy(*table.order)
    return Replacement(target, made, "true", facts)


def _require_questions(
    customer: str, questions: Progress, assessments: DataFrame, batch: int
) -> None:
    """Questions have no row for a batch without attempts, so their batch alone says too little."""
    with_questions = assessments.where((F.col("batch") <= batch) & (F.size("questions") > 0))
    expected = with_questions.agg(F.expr("coalesce(max(batch), 0) as batch")).collect()[0].batch
    if questions.highest_batch < expected:
        raise UpstreamNotReady(
            f"Customer {customer}: table questions ends at batch {questions.highest_batch}, and "
            f"attempts at {expected}. Materialize questions first: dagster asset materialize -m "
            f"assess_assets.definitions --select 'questions*' --partition {customer}"
        )
