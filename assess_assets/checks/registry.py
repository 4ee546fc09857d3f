"""All checks, one step per table. Add a fact: declare it in its module; it is found by its table.

Every table that an asset writes has the facts of its contract, without being named here.
"""

import dagster as dg

from assess_assets.assets.registry import ASSETS
from assess_assets.checks.agreement import AGREEMENT
from assess_assets.checks.balance import BALANCE
from assess_assets.checks.claims import CLAIMS
from assess_assets.checks.contracts import contract_facts
from assess_assets.checks.customer_overview import CUSTOMER_OVERVIEW
from assess_assets.checks.explosion import EXPLOSION
from assess_assets.checks.facts import Check
from assess_assets.checks.integrity import INTEGRITY
from assess_assets.checks.rates import RATES
from assess_assets.checks.reconciliation import RECONCILIATION
from assess_assets.checks.recount import RECOUNT
from assess_assets.checks.steps import check_step
from assess_assets.checks.summaries import SUMMARIES
from assess_assets.tables.contract import TableContract
from assess_assets.tables.registry import TABLES

_DECLARED: tuple[Check, ...] = (
    *CLAIMS,
    *BALANCE,
    *AGREEMENT,
    *SUMMARIES,
    *INTEGRITY,
    *EXPLOSION,
    *RECONCILIATION,
    *RECOUNT,
    *RATES,
    *CUSTOMER_OVERVIEW,
)


def checks_of(table: TableContract) -> tuple[Check, ...]:
    declared = (check for check in _DECLARED if check.table == table.name)
    return (*contract_facts(table), *declared)


_WRITTEN = {
    key.to_user_string()
    for asset in ASSETS
    if isinstance(asset, dg.AssetsDefinition)  # an observed source writes no table
    for key in asset.keys
}

CHECKED_TABLES = tuple(table for table in TABLES if table.name in _WRITTEN)

CHECKS: list[dg.AssetChecksDefinition] = [
    check_step(table.name, checks_of(table)) for table in CHECKED_TABLES
]
