"""One check step per table: its facts become Dagster's asset checks, examined together.

Partitioned like the assets. A step runs right after its table was written, and what blocks stops
everything downstream of it in that run.
"""

import warnings
from collections.abc import Iterator, Sequence

import dagster as dg

from assess_assets.assets.customers_of import customers_of
from assess_assets.checks.examine import examine
from assess_assets.checks.facts import Check, Fact, Rate
from assess_assets.checks.range_runs import is_range, overall, report_each_customer
from assess_assets.checks.verdicts import Verdict
from assess_assets.customers import CUSTOMERS
from assess_assets.resources.lake import LakeResource


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
    ) -> Iterator[dg.AssetCheckResult]:
        asked = {key.name for key in context.selected_asset_check_keys}
        registered = context.instance.get_dynamic_partitions(str(CUSTOMERS.name))

        def examine_customer(customer: str) -> list[Verdict]:
            about = [
                check.about(registered) if isinstance(check, Fact) else check
                for check in checks
                if asked.intersection(_names(check))
            ]
            found = examine(lake.lake, customer, lake.policies.of(customer), about)
            return [verdict for verdict in found if verdict.name in asked]

        examined = lake.lake.for_each(customers_of(context), examine_customer)
        if is_range(context):
            report_each_customer(context.instance, dg.AssetKey(table), examined)
            examined.raise_failures()
            results = overall(examined)
        else:
            examined.raise_failures()
            results = next(iter(examined.values()))
        for verdict in results:
            yield dg.AssetCheckResult(
                passed=verdict.passed,
                asset_key=table,
                check_name=verdict.name,
                metadata=verdict.metadata,
                severity=verdict.severity,
                description=verdict.description,
            )

    return step


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
