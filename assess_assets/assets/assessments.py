"""The parse step: every message gets one fate, in four tables, the ledger last.

assessments, quarantined_messages, conflicting_assessments and message_ledger are written by one
step, in this order; the ledger's highest batch is the watermark. A crash in between leaves rows
beyond it, which the next run replaces by the same rows.
"""

from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Any

import dagster as dg
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from assess_assets.assets.builds import running_versions
from assess_assets.assets.each_customer import each_customer
from assess_assets.assets.specs import asset_out, customer_multi_asset
from assess_assets.customers import CustomerPolicy
from assess_assets.messages import CONTRACT_VERSION
from assess_assets.resources.lake import LakeResource
from assess_assets.storage.delta import Pin, rows_after
from assess_assets.storage.io_manager import Tables
from assess_assets.storage.lake import MESSAGES_OF_ONE_FILE, Lake, Replacement
from assess_assets.storage.protocol import Span, parse_span
from assess_assets.tables.attempts import ASSESSMENTS
from assess_assets.tables.fates import CONFLICTING_ASSESSMENTS, MESSAGE_LEDGER, QUARANTINED_MESSAGES
from assess_assets.transforms.assessments import parse_assessments
from assess_assets.transforms.fates import decide_fates
from assess_assets.transforms.refused import keep_conflicts, quarantine
from assess_assets.transforms.verdicts import judge_messages

WRITTEN = (ASSESSMENTS, QUARANTINED_MESSAGES, CONFLICTING_ASSESSMENTS, MESSAGE_LEDGER)
TABLE_OF_FATE = {
    "accepted": ASSESSMENTS.name,
    "quarantined": QUARANTINED_MESSAGES.name,
    "conflict": CONFLICTING_ASSESSMENTS.name,
}


@customer_multi_asset(
    name="parse_messages",
    outs={table.name: asset_out(table) for table in WRITTEN},
    deps=["builds"],
)
def parse_messages(
    context: dg.AssetExecutionContext, lake: LakeResource, raw_messages: Tables
) -> Iterator[dg.Output[Any]]:
    """Give every new message its fate and write it where it belongs, the ledger last."""

    policies = lake.policies

    def parse(customer: str) -> dict[str, Replacement]:
        return parse_customer(lake.lake, customer, policies.of(customer), raw_messages)

    parsed = each_customer(context, lake.lake, parse)
    for table in WRITTEN:
        yield dg.Output(parsed.map(itemgetter(table.name)), table.name)


def parse_customer(
    lake: Lake, customer: str, policy: CustomerPolicy, raw_messages: Tables
) -> dict[str, Replacement]:
    targets = {table.name: lake.pin(table, customer) for table in WRITTEN}
    build = lake.current_build(customer, running_versions(policy)).number
    ledger = targets[MESSAGE_LEDGER.name]
    known = lake.progress(ledger)
    raw_batch = lake.progress(raw_messages.pin(customer)).highest_batch
    span = parse_span(
        customer,
        build,
        raw_batch,
        known,
        {name: lake.progress(pin) for name, pin in targets.items() if pin is not ledger},
        _promised(ledger),
    )
    facts = {"build": build, "batch": span.upto}
    if span.is_empty:
        return {name: Replacement(target, facts=facts) for name, target in targets.items()}

    frames = parse_span_of(span, raw_messages[customer], lake.read(ledger), policy)
    few = rows_after(raw_messages.pin(customer), span.after) <= MESSAGES_OF_ONE_FILE
    return {
        name: Replacement(target, frames[name], span.bounds, facts, one_file=few)
        for name, target in targets.items()
    }


def parse_span_of(
    span: Span, raw_messages: DataFrame, ledger: DataFrame, policy: CustomerPolicy
) -> dict[str, DataFrame]:
    """The rows of the four tables for a span of batches, by table name.

    Verdicts are kept while the four are written (`localCheckpoint`): messages are validated once.
    """
    raw = raw_messages.where(span.selection)
    before = ledger.where(F.lit(False) if span.rebuild else F.col("batch") <= span.after)
    fates = decide_fates(judge_messages(raw).localCheckpoint(), before).localCheckpoint()
    frames = {
        ASSESSMENTS.name: parse_assessments(raw, fates, policy.test_exam_ids),
        QUARANTINED_MESSAGES.name: quarantine(raw, fates, CONTRACT_VERSION),
        CONFLICTING_ASSESSMENTS.name: keep_conflicts(raw, fates),
        MESSAGE_LEDGER.name: fates,
    }
    build = F.lit(span.build).cast("bigint")
    return {name: frame.withColumn("build", build) for name, frame in frames.items()}


def _promised(ledger: Pin) -> Mapping[str, int]:
    """How many rows the ledger says the other tables have, by table name."""
    rows = ledger.look_up("select fate, count(*) as number from pinned group by fate")
    counted = {row["fate"]: row["number"] for row in rows}
    return {table: counted.get(fate, 0) for fate, table in TABLE_OF_FATE.items()}
