"""The jobs of customers: to keep them up to date, and maintenance, which takes turns with that."""

from typing import Final

import dagster as dg

UPDATE: Final = "update_customers"
MAINTAIN: Final = "maintain_customers"

MAINTENANCE = dg.AssetSelection.groups("maintenance")

UPDATE_CUSTOMERS = dg.define_asset_job(
    UPDATE,
    dg.AssetSelection.all() - MAINTENANCE,
    description="Everything of a customer: new messages to all of its tables, with the checks.",
)

MAINTAIN_CUSTOMERS = dg.define_asset_job(
    MAINTAIN,
    MAINTENANCE,
    description="lake_maintenance: few files and clean folders; no row changes.",
)
