"""What a table's contract says to Dagster: schema, lineage, owners, kinds, tags, code version.

Belongs here: everything about an asset that follows from its contract, for single assets and for
outputs of multi-assets alike. What an asset does is in its own module.
"""

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg

from assess_assets.assets.each_customer import settled
from assess_assets.customers import CUSTOMERS, backfill_policy
from assess_assets.messages import CONTRACT_VERSION
from assess_assets.tables.contract import TableContract
from assess_assets.versions import CODE_VERSION

OWNERS = ["team:assessment-data"]
IO_MANAGER = "lake_io"

Step = Callable[..., Any]


def customer_asset(table: TableContract, **arguments: Any) -> Callable[[Step], dg.AssetsDefinition]:
    """`@dg.asset` for one table of every customer; its description is the step's docstring."""
    return _partitioned(
        dg.asset, name=table.name, io_manager_key=IO_MANAGER, **described(table), **arguments
    )


def customer_multi_asset(**arguments: Any) -> Callable[[Step], dg.AssetsDefinition]:
    """`@dg.multi_asset` for tables that one step writes together, always all of them."""
    return _partitioned(dg.multi_asset, can_subset=False, **arguments)


def customer_upkeep(**arguments: Any) -> Callable[[Step], dg.AssetsDefinition]:
    """`@dg.asset` for what is done to tables and makes none; a run may leave it undone."""
    return _partitioned(
        dg.asset,
        group_name="maintenance",
        owners=OWNERS,
        kinds={"deltalake"},
        output_required=False,
        io_manager_key=IO_MANAGER,
        **arguments,
    )


def customer_source(**arguments: Any) -> Callable[[Step], Any]:
    """`@dg.observable_source_asset` for what lies outside of the lake, per customer.

    Unlike the others, it does not take the step's docstring for its description, and has no owners.
    """

    def decorate(step: Step) -> Any:
        told = {"description": inspect.getdoc(step), "metadata": {"owner": OWNERS[0]}}
        decorator = dg.observable_source_asset
        return _quietly(decorator, partitions_def=CUSTOMERS, **told, **arguments)(step)

    return decorate


def observation(
    source: str, customer: str, version: str, metadata: Mapping[str, Any] | None = None
) -> dg.AssetObservation:
    """What a source of a customer is now. Another data version is news to what depends on it."""
    return dg.AssetObservation(
        asset_key=source,
        partition=customer,
        metadata=metadata,
        tags={"dagster/data_version": version},
    )


def _partitioned(decorator: Step, **arguments: Any) -> Callable[[Step], dg.AssetsDefinition]:
    decorated = _quietly(
        decorator, partitions_def=CUSTOMERS, backfill_policy=backfill_policy(), **arguments
    )
    return lambda step: decorated(settled(step))


def _quietly(decorator: Step, **arguments: Any) -> Callable[[Step], Any]:
    """Dagster calls these parameters beta; users of the command line need not read it."""

    def decorate(step: Step) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)
            return decorator(**arguments)(step)

    return decorate


def described(table: TableContract) -> dict[str, Any]:
    """Arguments that `@dg.asset`, `dg.AssetOut` and `dg.AssetSpec` share."""
    return {
        "group_name": table.group,
        "owners": OWNERS,
        "kinds": {"pyspark", "deltalake"},
        "tags": {"grain": "shared" if table.shared else "customer"},
        "code_version": f"{CODE_VERSION}.{CONTRACT_VERSION}",
        "metadata": {
            "dagster/column_schema": column_schema(table),
            "dagster/column_lineage": column_lineage(table),
            "dagster/table_name": table.name,
            "dagster/storage_kind": "deltalake",
            "key": ", ".join(table.key),
        },
    }


def asset_out(table: TableContract, io_manager: bool = True) -> dg.AssetOut:
    """An output of a multi-asset; its description is the contract's grain."""
    arguments = described(table)
    if io_manager:
        arguments["io_manager_key"] = IO_MANAGER
    return dg.AssetOut(description=table.grain, **arguments)


def column_schema(table: TableContract) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                column.type.simpleString(),
                description=column.meaning,
                constraints=dg.TableColumnConstraints(
                    nullable=column.nullable, unique=table.key == (column.name,)
                ),
                tags={"personal": ""} if column.personal else None,
            )
            for column in table
        ]
    )


def column_lineage(table: TableContract) -> dg.TableColumnLineage:
    return dg.TableColumnLineage(
        {
            column.name: [
                dg.TableColumnDep(
                    asset_key=dg.AssetKey(source.split(".")[0]), column_name=source.split(".")[1]
                )
                for source in column.sources
            ]
            for column in table
            if column.sources
        }
    )
