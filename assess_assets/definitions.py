"""The code location: everything that Dagster loads, put together in one call.

`build_definitions(settings)` is the only door, for Dagster, commands and tests alike; `defs` is
lazy, so importing this module reads no environment and starts nothing.
"""

import dagster as dg

from assess_assets.assets.registry import ASSETS
from assess_assets.automation.jobs import MAINTAIN_CUSTOMERS, UPDATE_CUSTOMERS
from assess_assets.automation.schedule import weekly_maintenance
from assess_assets.automation.sensor import new_messages
from assess_assets.checks.registry import CHECKS
from assess_assets.resources.lake import LakeResource
from assess_assets.resources.spark import SparkEngine
from assess_assets.settings import Settings
from assess_assets.storage.io_manager import SparkHdfsIOManager

AFTER_OUTPUTS = {"step_dependency_config": {"require_upstream_step_success": False}}


def build_definitions(settings: Settings) -> dg.Definitions:
    """All assets, checks and resources for one deployment.

    Steps run in one process: the engine starts once a run, instead of once a step. A step that
    failed for some customers of a range has stored its outputs for the others, so what follows
    goes on with them; the run fails nevertheless.
    """
    engine = SparkEngine(url=settings.spark)
    lake = LakeResource.from_settings(settings, engine)
    return dg.Definitions(
        assets=ASSETS,
        asset_checks=CHECKS,
        jobs=[UPDATE_CUSTOMERS, MAINTAIN_CUSTOMERS],
        schedules=[weekly_maintenance],
        sensors=[new_messages],
        resources={"engine": engine, "lake": lake, "lake_io": SparkHdfsIOManager(lake=lake)},
        executor=dg.in_process_executor.configured(AFTER_OUTPUTS, "in_process"),
    )


@dg.definitions
def defs() -> dg.Definitions:
    return build_definitions(Settings())
