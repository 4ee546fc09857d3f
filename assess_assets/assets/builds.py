"""builds: claim a new build when contract, policy or code have changed since the last."""

import dagster as dg

from assess_assets.assets.each_customer import replace_each
from assess_assets.assets.specs import customer_asset
from assess_assets.customers import CustomerPolicy
from assess_assets.messages import CONTRACT_VERSION
from assess_assets.resources.lake import LakeResource
from assess_assets.storage.builds import (
    Build,
    Versions,
    claim_build,
    latest_build,
    refuse_changed_policy,
    refuse_older_code,
)
from assess_assets.storage.lake import Lake, Replacement, Replacements
from assess_assets.tables.ingest import BUILDS
from assess_assets.tables.registry import MADE_BY_BUILD
from assess_assets.versions import CODE_VERSION


def running_versions(policy: CustomerPolicy) -> Versions:
    """What this code would make a build with."""
    return Versions(CONTRACT_VERSION, policy.version, CODE_VERSION, policy.content)


@customer_asset(BUILDS, deps=["raw_messages"])
def builds(context: dg.AssetExecutionContext, lake: LakeResource) -> Replacements:
    """One row per build: everything below raw_messages is made once per build.

    The first run of a customer claims build 1; a change of contract, policy or code claims the
    next, and so does `assess rebuild`. Code older than the last build refuses to run, and so does
    a policy that was changed under its old version.
    """

    def claim(tables: Lake, customer: str, policy: CustomerPolicy) -> Replacement:
        return claim_if_changed(tables, customer, running_versions(policy), context.run.run_id)

    return replace_each(context, lake, claim)


def claim_if_changed(lake: Lake, customer: str, versions: Versions, run_id: str) -> Replacement:
    table = lake.pin(BUILDS, customer)
    latest = latest_build(table)
    if latest is None:
        highest = _highest(lake, customer, latest)
        reason = f"builds was empty, after build {highest}" if highest else "first run"
    else:
        refuse_older_code(customer, latest, versions)
        refuse_changed_policy(customer, latest, versions)
        reason = "; ".join(versions.changes_since(latest.versions))
        if not reason:
            return Replacement(table, facts={"build": latest.number})
        highest = _highest(lake, customer, latest)
    number = claim_build(table, highest, versions, reason, lake.now(), run_id)
    facts = {"build": number, "reason": reason, "changed": True}
    return Replacement(lake.pin(BUILDS, customer), facts=facts)


def claim_rebuild(lake: Lake, customer: str, versions: Versions, reason: str, run_id: str) -> int:
    """Claim the next build whatever has changed: everything is made again from raw_messages."""
    table = lake.pin(BUILDS, customer)
    latest = latest_build(table)
    if latest is not None:
        refuse_older_code(customer, latest, versions)
    highest = _highest(lake, customer, latest)
    return claim_build(table, highest, versions, reason, lake.now(), run_id)


def _highest(lake: Lake, customer: str, latest: Build | None) -> int:
    """Of all builds that the customer's tables know: `builds` may have lost a row.

    A build that a table has rows of already would not be made.
    """
    pins = (lake.pin_existing(table, customer) for table in MADE_BY_BUILD)
    carried = (lake.progress(pinned).highest_build for pinned in pins if pinned)
    return max([latest.number if latest else 0, *carried])
