"""A customer's lake that was fine, and how to damage a copy of it, row by row.

Belongs here: changing tables behind the platform's back, and examining them without Dagster. Does
not: any statement about what a check should find.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from pyspark.sql import SparkSession

from assess_assets.checks.examine import examine
from assess_assets.checks.facts import Fact, Rate
from assess_assets.checks.opening import open_table
from assess_assets.checks.registry import checks_of
from assess_assets.checks.verdicts import Verdict
from assess_assets.customers import CustomerPolicy
from assess_assets.storage.lake import Lake
from assess_assets.storage.layout import LakeLayout
from assess_assets.tables.dialect import DUCKDB_MACROS
from assess_assets.tables.registry import TABLES, table_named

Row = dict[str, Any]
PERSONAL = frozenset(column.name for table in TABLES for column in table if column.personal)


@dataclass(frozen=True)
class Damaged:
    """One customer's tables in a folder of their own; every method but `rows` changes them."""

    lake: Lake
    root: Path
    customer: str
    policy: CustomerPolicy = field(default_factory=lambda: CustomerPolicy.model_validate({}))

    @classmethod
    def copy_of(cls, root: Path, copy: Path, spark: SparkSession, customer: str) -> "Damaged":
        shutil.copytree(root, copy)
        lake = Lake(LakeLayout.of(str(copy)), lambda: spark, _no_clock)
        return cls(lake, copy, customer)

    def uri(self, table: str) -> str:
        return self.lake.layout.uri(table_named(table), self.customer)

    def rows(self, table: str) -> list[Row]:
        """All rows, in the order of the contract."""
        order = [(name, "ascending") for name in table_named(table).order]
        found: list[Row] = DeltaTable(self.uri(table)).to_pyarrow_table().sort_by(order).to_pylist()
        return found

    def delete(self, table: str, where: str) -> None:
        deleted = DeltaTable(self.uri(table)).delete(where)
        assert deleted["num_deleted_rows"], "nothing was damaged"

    def rewrite(self, table: str, change: Callable[[list[Row]], object]) -> None:
        """Change the rows in place as Python objects."""
        rows = self.rows(table)
        change(rows)
        self.replace(table, rows)

    def replace(self, table: str, rows: list[Row]) -> None:
        schema = pa.schema(DeltaTable(self.uri(table)).schema().to_arrow())
        whole = pa.Table.from_pylist(rows, schema=schema)
        write_deltalake(self.uri(table), whole, mode="overwrite")

    def change(self, table: str, index: int, **values: Any) -> Row:
        """Set values of one row (by its place in `rows`); returns it as it was."""
        before = self.rows(table)[index]
        self.rewrite(table, lambda rows: rows[index].update(values))
        return before

    def repeat(self, table: str, index: int, **values: Any) -> Row:
        """Append a row again, with other values."""
        row = self.rows(table)[index]
        self.rewrite(table, lambda rows: rows.append(row | values))
        return row

    def retype(self, table: str, change: Callable[[pa.Table], pa.Table]) -> None:
        """Change the columns themselves."""
        whole = DeltaTable(self.uri(table)).to_pyarrow_table()
        write_deltalake(self.uri(table), change(whole), mode="overwrite", schema_mode="overwrite")

    def remove(self, table: str) -> None:
        shutil.rmtree(self.uri(table).removeprefix("file://"))

    def verdicts(self, table: str) -> dict[str, Verdict]:
        """Every check of a table, by name."""
        about = [
            check.about(self.customer) if isinstance(check, Fact) else check
            for check in checks_of(table_named(table))
        ]
        found = examine(self.lake, self.customer, self.policy, about)
        return {verdict.name: verdict for verdict in found}

    def all_verdicts(self) -> dict[str, Verdict]:
        found: dict[str, Verdict] = {}
        for table in TABLES:
            if open_table(self.lake, table, self.customer).pin:
                found |= self.verdicts(table.name)
        return found

    def failing_rows(self, table: str, name: str) -> list[Row]:
        """What a check's query lists: the same rows in the engine and in DuckDB, sorted."""
        check = next(check for check in checks_of(table_named(table)) if check.name == name)
        assert isinstance(check, Fact | Rate)
        if isinstance(check, Fact):
            check = check.about(self.customer)
        uris = {each: self.uri(each) for each in check.tables}
        found = in_duckdb(uris, check.sql)
        frames = {
            each: self.lake.spark.read.format("delta").load(uri) for each, uri in uris.items()
        }
        engine = self.lake.spark.sql(check.query, None, **frames).collect()
        assert _sorted([row.asDict() for row in engine]) == found
        assert not PERSONAL.intersection(*(row.keys() for row in found[:1]))
        return found


def in_duckdb(uris: Mapping[str, str], sql: str) -> list[Row]:
    """Rows of a query where tables have their plain names, as `assess sql` has."""
    session = duckdb.connect()
    session.execute("SET TimeZone = 'UTC'")
    for macro in DUCKDB_MACROS:
        session.execute(macro)
    for name, uri in uris.items():
        session.register(name, DeltaTable(uri).to_pyarrow_dataset())
    rows = session.sql(sql)
    return _sorted([dict(zip(rows.columns, row, strict=True)) for row in rows.fetchall()])


def where_it_was(row: Mapping[str, Any]) -> Row:
    return {name: row[name] for name in ("source", "partition", "offset", "batch")}


def another(value: Any) -> Any:
    """Another value of the same type, and not by much."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            return value + 1e-6
        case str():
            return value + "?"
        case list():
            return [*value, "?"]
        case None:
            return 0.5
        case _:
            return value + timedelta(microseconds=1)


def _sorted(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: [(value is not None, str(value)) for value in row.values()])


def _no_clock() -> Any:
    raise AssertionError("a check needs no clock")
