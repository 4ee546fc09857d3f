"""lake_maintenance: few files and clean folders, for all tables of a customer.

Not a table: nothing is made from it, and it is made from nothing. A run of its own, because
maintenance and runs of one customer take turns; what happens if they don't, storage/delta says.
"""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import dagster as dg
import pandas as pd
from pydantic import Field

from assess_assets.assets.each_customer import customers_of, each_customer
from assess_assets.assets.specs import customer_upkeep
from assess_assets.resources.lake import LakeResource
from assess_assets.storage.lake import Lake
from assess_assets.storage.maintenance import Kept, Upkeep, keep
from assess_assets.tables.registry import CUSTOMER_TABLES, TABLES

MEGABYTE = 1024 * 1024
SHARED_TABLES = tuple(table for table in TABLES if table.shared)


class MaintenanceConfig(dg.Config):
    """Set in the launchpad, or by a schedule's run config."""

    max_small_files: int = Field(
        10, ge=1, description="A table with more small files than this is compacted."
    )
    target_file_megabytes: int = Field(
        128, ge=1, description="How large compacted files get; below half of it, one is small."
    )
    retention_hours: int = Field(
        168,
        ge=24,
        description="Files that the current version doesn't have are kept so long: longer than "
        "any run or query takes, or it loses files while it reads.",
    )

    def upkeep(self) -> Upkeep:
        return Upkeep(
            max_small_files=self.max_small_files,
            target_bytes=self.target_file_megabytes * MEGABYTE,
            retention=timedelta(hours=self.retention_hours),
        )


@customer_upkeep(name="lake_maintenance")
def lake_maintenance(
    context: dg.AssetExecutionContext, config: MaintenanceConfig, lake: LakeResource
) -> Iterator[dg.Output[Any]]:
    """Compact small files and remove leftovers, in all tables of a customer; no row changes.

    Leftovers are files that no version within the retention has, those of dead commits included.
    Materialize it alone: together with other assets it does nothing and is not materialized.
    """
    first = customers_of(context)[0]
    if len(list(context.job_def.nodes)) > 1:
        context.log.info(
            "lake_maintenance did nothing: it takes turns with the runs that write. Next: dagster "
            "asset materialize -m assess_assets.definitions --select lake_maintenance "
            f"--partition {first}"
        )
        return
    upkeep = config.upkeep()
    done = each_customer(context, lake.lake, lambda name: keep_tables(lake.lake, name, upkeep))
    shared = _keep(lake.lake, first, SHARED_TABLES, upkeep)
    yield dg.Output(done.map(lambda kept: _told([*kept, *shared])))


def keep_tables(lake: Lake, customer: str, upkeep: Upkeep) -> list[Kept]:
    """Every table that the customer has, in contract order."""
    return _keep(lake, customer, CUSTOMER_TABLES, upkeep)


def _keep(lake: Lake, customer: str, tables: Any, upkeep: Upkeep) -> list[Kept]:
    done = (
        keep(customer, table.name, lake.layout.uri(table, customer), upkeep) for table in tables
    )
    return [kept for kept in done if kept is not None]


def _told(kept: list[Kept]) -> dict[str, Any]:
    lost = [one.table for one in kept if one.lost_race]
    return {
        "tables": dg.MetadataValue.md(pd.DataFrame(map(asdict, kept)).to_markdown(index=False)),
        "files_before": sum(one.files_before for one in kept),
        "files": sum(one.files for one in kept),
        "files_removed": sum(one.files_removed for one in kept),
        "bytes_freed": sum(one.bytes_freed for one in kept),
        "changed": [one.table for one in kept if one.version != one.version_before],
        "lost_races": lost,
    }
