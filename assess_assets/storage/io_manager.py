"""SparkHdfsIOManager: Spark DataFrames to Delta tables and back, one table per customer.

    <lake>/<customer>/<table>     <lake> is a folder, file:///... or hdfs://...

One shape both ways, for one customer or a range of them: an asset returns a `Replacement` per
customer, and receives `Tables`: per customer a lazy DataFrame, pinned when it is first asked for.
"""

import dagster as dg
from pyspark.sql import DataFrame

from assess_assets.resources.lake import LakeResource
from assess_assets.storage.delta import Committed, Pin, committed
from assess_assets.storage.lake import Lake, Replacement, Replacements
from assess_assets.tables.contract import TableContract
from assess_assets.tables.registry import table_named

PREVIEW_ROWS = 5


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

    def handle_output(self, context: dg.OutputContext, obj: Replacements) -> None:
        lake = self.lake.lake
        evidence = {"run_id": context.run_id, "asset": context.asset_key.to_user_string()}

        def write(customer: str) -> Committed:
            replacement = obj[customer]
            replacement.commit({**evidence, **replacement.facts})
            return committed(replacement.target.uri)

        written = lake.for_each(list(obj), write)
        for customer, commit in written.items():
            self._describe(context, customer, obj[customer], commit)
        written.raise_failures()
        obj.raise_failures()

    def _describe(
        self,
        context: dg.OutputContext,
        customer: str,
        replacement: Replacement,
        commit: Committed,
    ) -> None:
        target = replacement.target
        context.step_context.add_asset_metadata(
            {
                **replacement.facts,
                "dagster/partition_row_count": commit.rows,
                "dagster/uri": target.uri,
                "table_version": commit.version,
                "size_bytes": commit.size_bytes,
                "changed": replacement.frame is not None and commit.version != target.version,
                "preview": dg.MetadataValue.md(self._preview(target, commit)),
            },
            asset_key=context.asset_key,
            partition_key=customer,
        )

    def _preview(self, target: Pin, commit: Committed) -> str:
        """The first rows, without any column that identifies a person or an attempt."""
        if not commit.rows:
            return "_no rows_"
        columns = target.table.public_columns
        current = Pin(target.table, target.customer, target.uri, commit.version)
        rows = self.lake.lake.read(current).select(*columns)
        first = rows.orderBy(*(name for name in target.table.order if name in columns))
        shown: list[str] = first.limit(PREVIEW_ROWS).toPandas().to_markdown(index=False)
        return shown
