"""SparkHdfsIOManager: Spark DataFrames to Delta tables and back, one table per customer.

    <lake>/<customer>/<table>     <lake> is a folder, file:///... or hdfs://...

One shape both ways, for one customer or a range of them: an asset returns a `Replacement` per
customer (or, having written it itself, its metadata), and receives `Tables`: per customer a lazy
DataFrame, pinned when it is first asked for.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg
import pandas as pd
from pyspark.sql import DataFrame

from assess_assets.resources.lake import LakeResource
from assess_assets.storage.delta import Committed, Pin, committed
from assess_assets.storage.done_partitions import only_done
from assess_assets.storage.lake import Lake, PerCustomer, Replacement
from assess_assets.storage.set_aside import set_aside
from assess_assets.tables.contract import TableContract
from assess_assets.tables.registry import table_named

Made = Replacement | Mapping[str, Any]

PREVIEW_ROWS = 5
PREVIEW_SIGNS = 100  # of a text
SHOWN_AGAIN = 100_000  # rows of a table that is unchanged
MAX_PREVIEWS = 20  # of customers in one run: nobody looks at more


class Tables:
    """One upstream table of many customers. A customer's version is pinned on first use.

    Lazily, because a step has to pin what it writes before it looks at what it reads.
    """

    def __init__(self, lake: Lake, table: TableContract) -> None:
        self._lake = lake
        self._table = table
        self._pins: dict[str, Pin] = {}

    def pin(self, customer: str) -> Pin:
        if customer not in self._pins:
            self._pins[customer] = self._lake.pin(self._table, customer)
        return self._pins[customer]

    def __getitem__(self, customer: str) -> DataFrame:
        return self._lake.read(self.pin(customer))


class SparkHdfsIOManager(dg.ConfigurableIOManager):
    """Writes each customer's replacement in its own gated commit; reads pinned versions."""

    lake: dg.ResourceDependency[LakeResource]

    def load_input(self, context: dg.InputContext) -> Tables:
        return Tables(self.lake.lake, table_named(context.asset_key.path[-1]))

    def handle_output(self, context: dg.OutputContext, obj: PerCustomer[Made]) -> None:
        """Write what was made; raises what went wrong only if it did for every customer.

        The step itself fails in the end if any customer did (`settled`): by then the others are
        written and recorded.
        """
        lake = self.lake.lake
        evidence = {"run_id": context.run_id, "asset": context.asset_key.to_user_string()}

        def write(customer: str) -> Mapping[str, Any]:
            made = obj[customer]
            if not isinstance(made, Replacement):
                return made
            made.commit({**evidence, **made.facts})
            return _described(lake, made, with_preview=len(obj) <= MAX_PREVIEWS)

        written = lake.for_each([each for each in obj if each not in obj.failures], write)
        obj.failures.update(written.failures)
        step = context.step_context
        set_aside(step.instance, step.run_id, step.step.key, obj.failures)
        if not written:
            obj.raise_failures()
        for customer, metadata in written.items():
            step.add_asset_metadata(metadata, asset_key=context.asset_key, partition_key=customer)
        if obj.failures:
            only_done(context, written)


def _described(lake: Lake, replacement: Replacement, with_preview: bool) -> dict[str, Any]:
    """Metadata of one customer's materialization.

    A large table that is unchanged is not shown again: showing the first rows in order reads all.
    """
    target = replacement.target
    written = replacement.frame is not None
    current = lake.pin(target.table, target.customer) if written else target
    commit = committed(current)
    changed = current.version != target.version
    is_shown = with_preview and (changed or commit.rows <= SHOWN_AGAIN)
    return {**table_metadata(current, commit, changed, is_shown), **replacement.facts}


def table_metadata(
    current: Pin, commit: Committed, changed: bool, is_shown: bool, where: str = "true"
) -> dict[str, Any]:
    """What every materialization says; of the rows `where`, some are shown."""
    return {
        "dagster/partition_row_count": commit.rows,
        "dagster/uri": current.uri,
        "table_version": commit.version,
        "size_bytes": commit.size_bytes,
        "changed": changed,
        **({"preview": dg.MetadataValue.md(_preview(current, where))} if is_shown else {}),
    }


def _preview(current: Pin, where: str) -> str:
    """The first rows, without any column that identifies a person or an attempt."""
    columns = current.table.public_columns
    order = [name for name in current.table.order if name in columns]
    rows = current.look_up(
        f"select {_names(columns)} from pinned where {where} "
        f"order by {_names(order)} limit {PREVIEW_ROWS}"
    )
    cells = [{name: _cut(value) for name, value in row.items()} for row in rows]
    # Objects, else whole numbers beside a null become floats; and digits are shown as they are.
    frame = pd.DataFrame(cells, columns=columns, dtype=object)
    shown: str = frame.where(frame.notna(), "").to_markdown(index=False, disable_numparse=True)
    return shown if rows else "_no rows_"


def _cut(value: Any) -> Any:
    """A preview pads every line to its longest cell, and a report has a hundred thousand signs."""
    return value[:PREVIEW_SIGNS].replace("\n", " ") if isinstance(value, str) else value


def _names(columns: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
