"""What a table contract is: columns with type, meaning, nullability and sources, a key and a grain.

Belongs here: the two declarative classes and what is derived from one contract alone.
Does not belong here: any particular table (one module per group beside this), engines, Dagster.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pyspark.sql.types import (
    DataType,
    IntegralType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)


@dataclass(frozen=True)
class Column:
    """One column: its Spark type, what a value means, and the columns it is made from.

    `sources` are `table.column` of upstream tables; a column made here (a batch number, a verdict)
    has none. `personal` marks values that identify a person or an attempt: previews leave them out.
    """

    name: str
    type: DataType
    meaning: str
    sources: tuple[str, ...] = ()
    nullable: bool = False
    personal: bool = False


@dataclass(frozen=True)
class TableContract:
    """One table of a customer: `<lake>/<customer>/<name>`.

    `grain` is one sentence naming what a row is; `key` is unique; `order` sorts it for people.
    """

    name: str
    group: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    order: tuple[str, ...] = ()
    unique_where: str | None = None  # the rows, as `k`, of which the key is unique (None: all)
    shared: bool = False  # one table for all customers, seen by the operator alone

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        repeated = {name for name in names if names.count(name) > 1}
        unknown = {*self.key, *self.order} - set(names)
        if repeated or unknown:
            raise ValueError(f"Contract of {self.name}: repeated {repeated}, unknown {unknown}")

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    @property
    def schema(self) -> StructType:
        """The Spark schema. Nullability is checked by `checks.contracts`, not by the store:
        engines differ in what they do with a null in a NOT NULL column."""
        return StructType([StructField(column.name, column.type) for column in self.columns])

    @property
    def ranged_columns(self) -> list[str]:
        """Columns whose lowest and highest value in a file can tell that it need not be read.

        No fractions: where a file has one value of a column, Sail 0.7.2 does not read it and takes
        it from these statistics, whose decimals and doubles it parses a last digit off.
        """
        ranged = (IntegralType, StringType, TimestampType)
        return [column.name for column in self.columns if isinstance(column.type, ranged)]

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def required(self) -> list[str]:
        return [column.name for column in self.columns if not column.nullable]

    @property
    def public_columns(self) -> list[str]:
        """Columns that may be shown in a preview: they identify neither person nor attempt."""
        return [column.name for column in self.columns if not column.personal]

    @property
    def upstream(self) -> list[str]:
        """Names of the tables that some column is made from, in order of first mention."""
        tables = [source.split(".")[0] for column in self.columns for source in column.sources]
        return list(dict.fromkeys(table for table in tables if table != self.name))
