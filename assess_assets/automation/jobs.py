"""The job that keeps customers up to date. Maintenance takes turns with it, so it is left out."""

from typing import Final

import dagster as dg

UPDATE: Final = "update_customers"

UPDATE_CUSTOMERS = dg.define_asset_job(
    UPDATE,
    dg.AssetSelection.all() - dg.AssetSelection.groups("maintenance"),
    description="Everything of a customer: new messages to all of its tables, with the checks.",
)
