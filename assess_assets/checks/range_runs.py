"""Results of checks in a run for a range of customers, so that each customer's can be read.

A workaround, quarantined. Dagster 1.13.27 stores a check's result in such a run once, without a
partition, and every partition's status stays planned, then skipped; automation that waits for it
never starts. So the step yields one evaluation per customer beside its results. (Reported outside
of the run they could be stored only once.) The class that says which materialization was checked
is not exported. `test_dagster_still_stores_one_result_for_a_range`
fails when upstream records each partition's result: then this module goes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)

from assess_assets.assets.each_customer import is_for_all
from assess_assets.checks.verdicts import Verdict


def is_range(context: dg.AssetCheckExecutionContext) -> bool:
    """A range of one customer is one too: Dagster leaves that partition without a result.

    So is a run that names no partition.
    """
    return bool(context.has_partition_key_range) or is_for_all(context)


def each_customers_results(
    instance: dg.DagsterInstance, asset: dg.AssetKey, found: Mapping[str, Sequence[Verdict]]
) -> Iterator[dg.AssetCheckEvaluation]:
    """Every customer's verdicts, each as an evaluation of the customer's partition."""
    for customer, verdicts in found.items():
        target = checked_materialization(instance, asset, customer)
        for verdict in verdicts:
            yield evaluation(asset, customer, verdict, target)


def evaluation(
    asset: dg.AssetKey,
    customer: str | None,
    verdict: Verdict,
    target: AssetCheckEvaluationTargetMaterializationData | None,
) -> dg.AssetCheckEvaluation:
    """A verdict as Dagster stores it: of one customer's partition, or of a range as a whole."""
    return dg.AssetCheckEvaluation(
        asset_key=asset,
        check_name=verdict.name,
        passed=verdict.passed,
        metadata=verdict.metadata,
        target_materialization_data=target,
        severity=verdict.severity,
        description=verdict.description,
        blocking=verdict.blocking,
        partition=customer,
    )


def overall(found: Mapping[str, Sequence[Verdict]]) -> list[Verdict]:
    """One verdict per check for all customers together: it fails where one of theirs does."""
    by_name: dict[str, dict[str, Verdict]] = {}
    for customer, verdicts in found.items():
        for verdict in verdicts:
            by_name.setdefault(verdict.name, {})[customer] = verdict
    return [_together(name, verdicts) for name, verdicts in by_name.items()]


def _together(name: str, verdicts: Mapping[str, Verdict]) -> Verdict:
    failed = {customer: one for customer, one in verdicts.items() if not one.passed}
    description = f"{len(verdicts) - len(failed)} of {len(verdicts)} customers pass."
    if failed:
        description += " " + " ".join(one.description for one in failed.values())
    blocking = next(iter(verdicts.values())).blocking
    metadata: dict[str, Any] = {"customers": len(verdicts), "failed_customers": list(failed)}
    for customer, one in failed.items():  # with its partition: sample and query
        if "command" in one.metadata:
            metadata[f"command for {customer}"] = one.metadata["command"]
    return Verdict(name, not failed, blocking, description, metadata)


def checked_materialization(
    instance: dg.DagsterInstance, asset: dg.AssetKey, customer: str
) -> AssetCheckEvaluationTargetMaterializationData | None:
    """Without it the customer's status shows, and automation still does not take it for passed."""
    of_customer = dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[customer])
    records = instance.fetch_materializations(of_customer, limit=1).records
    if not records:
        return None
    return AssetCheckEvaluationTargetMaterializationData(
        storage_id=records[0].storage_id,
        run_id=records[0].run_id,
        timestamp=records[0].timestamp,
    )
