"""One check step per table: its facts become Dagster's asset checks, examined together.

Partitioned like the assets. A step runs right after its table was written, and what blocks stops
everything downstream of it in that run, for the customers that it is about.
"""

import warnings
from collections.abc import Iterator, Sequence

import dagster as dg

from assess_assets.assets.each_customer import each_customer, is_for_all
from assess_assets.checks.examine import examine
from assess_assets.checks.facts import Check, Fact, Rate
from assess_assets.checks.range_runs import (
    checked_materialization,
    each_customers_results,
    evaluation,
    is_range,
    overall,
)
from assess_assets.checks.unchanged import notes_in, nothing_noted
from assess_assets.checks.verdicts import Verdict
from assess_assets.customers import CUSTOMERS
from assess_assets.resources.lake import LakeResource
from assess_assets.storage.set_aside import SetAside, set_aside


def check_step(table: str, checks: Sequence[Check]) -> dg.AssetChecksDefinition:
    """The step `check_<table>`; any one of its checks can be run alone."""

    @dg.multi_asset_check(
        name=f"check_{table}",
        specs=[spec for check in checks for spec in _specs(check)],
        description=f"Check the facts about {table}, one customer or many.",
        can_subset=True,
    )
    def step(
        context: dg.AssetCheckExecutionContext, lake: LakeResource
    ) -> Iterator[dg.AssetCheckResult | dg.AssetCheckEvaluation]:
        asked = {key.name for key in context.selected_asset_check_keys}
        policies = lake.policies
        asset = dg.AssetKey(table)
        is_made = asset in context.job_def.asset_layer.executable_asset_keys

        def examine_customer(customer: str) -> list[Verdict]:
            about = [
                check.about(customer) if isinstance(check, Fact) else check
                for check in checks
                if asked.intersection(_names(check))
            ]
            # Checks that somebody runs by themselves look at everything.
            noted = notes_in(context.instance, table, customer) if is_made else nothing_noted
            policy = policies.of(customer)
            found = examine(lake.lake, customer, policy, about, context.run.run_id, noted)
            return [verdict for verdict in found if verdict.name in asked]

        examined = each_customer(context, lake.lake, examine_customer)
        stopped = {
            customer: names for customer, found in examined.items() if (names := _blocked(found))
        }
        nobody_passes = len(stopped) == len(examined)
        if not examined:  # a step that succeeds for nobody: Dagster waits for its results for ever
            examined.raise_failures()
        if not is_range(context):
            ((customer, verdicts),) = examined.items()
            yield from _results(context.instance, asset, customer, verdicts, nobody_passes)
            return
        yield from each_customers_results(context.instance, asset, examined)
        if is_for_all(context):  # checks alone; at a result Dagster looks for the run's partition
            for verdict in overall(examined):
                yield evaluation(asset, None, verdict, None)
        else:
            yield from _results(context.instance, asset, None, overall(examined), nobody_passes)
        set_aside(
            context.instance,
            context.run.run_id,
            f"check_{table}",
            {**examined.failures, **stopped},
        )
        examined.raise_failures(but=(SetAside,))  # of those, the step that made the table tells

    return step


def _blocked(verdicts: Sequence[Verdict]) -> str:
    return ", ".join(one.name for one in verdicts if one.blocking and not one.passed)


def _results(
    instance: dg.DagsterInstance,
    asset: dg.AssetKey,
    customer: str | None,
    verdicts: Sequence[Verdict],
    nobody_passes: bool,
) -> Iterator[dg.AssetCheckResult | dg.AssetCheckEvaluation]:
    """What Dagster is told of one customer, or of a range (None) as a whole.

    A result brings an output, an evaluation alone does not; Dagster fails the step after either.
    Without its output, a check that did not pass stops what follows.
    """
    for verdict in verdicts:
        if nobody_passes and verdict.blocking and not verdict.passed:
            target = checked_materialization(instance, asset, customer) if customer else None
            yield evaluation(asset, customer, verdict, target)
        else:
            yield dg.AssetCheckResult(
                passed=verdict.passed,
                asset_key=asset,
                check_name=verdict.name,
                metadata=verdict.metadata,
                severity=verdict.severity,
                description=verdict.description,
            )


def _names(check: Check) -> tuple[str, ...]:
    return (check.name, check.limited) if isinstance(check, Rate) else (check.name,)


def _specs(check: Check) -> list[dg.AssetCheckSpec]:
    upstream = [dg.AssetKey(name) for name in check.tables[1:]]
    if isinstance(check, Rate):
        told = [
            (check.name, f"Warns of any: {check.meaning}.", False),
            (check.limited, f"Not above the policy's {check.limit}: {check.meaning}.", True),
        ]
    else:
        told = [(check.name, check.meaning, check.blocking)]
    with warnings.catch_warnings():
        # Only the parameter is called a preview; users of the command line need not read it.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                name,
                asset=check.table,
                description=meaning,
                blocking=blocking,
                additional_deps=upstream,
                partitions_def=CUSTOMERS,
            )
            for name, meaning, blocking in told
        ]
