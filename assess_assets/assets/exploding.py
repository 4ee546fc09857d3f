"""The explode step that questions and options share: which attempts to explode, and how far."""

from collections.abc import Callable
from dataclasses import replace

import dagster as dg
from pyspark.sql import DataFrame

from assess_assets.assets.builds import running_versions
from assess_assets.assets.each_customer import replace_each
from assess_assets.customers import CustomerPolicy
from assess_assets.resources.lake import LakeResource
from assess_assets.storage.delta import Pin, rows_after
from assess_assets.storage.io_manager import Tables
from assess_assets.storage.lake import MESSAGES_OF_ONE_FILE, Lake, Replacement, Replacements
from assess_assets.storage.protocol import explode_span, require_build
from assess_assets.tables.attempts import ASSESSMENTS
from assess_assets.tables.contract import TableContract
from assess_assets.tables.detail import OPTIONS, QUESTIONS
from assess_assets.tables.fates import MESSAGE_LEDGER

COUNTED_BY = {QUESTIONS.name: "question_count", OPTIONS.name: "option_count"}  # in the ledger


def explode_each(
    context: dg.AssetExecutionContext,
    lake: LakeResource,
    table: TableContract,
    explode: Callable[[DataFrame], DataFrame],
    assessments: Tables,
) -> Replacements:
    """`explode_customer` for every customer of the run."""
    return replace_each(
        context,
        lake,
        lambda tables, customer, policy: explode_customer(
            tables, customer, policy, table, explode, assessments
        ),
    )


def explode_customer(
    lake: Lake,
    customer: str,
    policy: CustomerPolicy,
    table: TableContract,
    explode: Callable[[DataFrame], DataFrame],
    assessments: Tables,
) -> Replacement:
    """Explode the attempts of the batches that `table` does not have yet, up to the ledger's."""
    target = lake.pin(table, customer)
    build = lake.current_build(customer, running_versions(policy)).number
    ledger = lake.pin(MESSAGE_LEDGER, customer)  # before its upstream is pinned
    known = lake.progress(ledger)
    last = _last_batch_with(ledger, COUNTED_BY[table.name])
    span = explode_span(customer, build, replace(known, highest_batch=last), lake.progress(target))
    facts = {"build": build, "batch": known.highest_batch}
    if span.is_empty:
        return Replacement(target, facts=facts)

    require_build(customer, ASSESSMENTS.name, build, lake.progress(assessments.pin(customer)))
    attempts = assessments[customer].where(span.selection)
    few = rows_after(assessments.pin(customer), span.after) <= MESSAGES_OF_ONE_FILE
    return Replacement(target, explode(attempts), span.bounds, facts, one_file=few)


def _last_batch_with(ledger: Pin, count: str) -> int:
    """The last batch that has something to explode: copies of known attempts add nothing."""
    found = ledger.look_up(
        f"select max(batch) as batch from pinned where fate = 'accepted' and {count} > 0"
    )
    return found[0]["batch"] or 0
