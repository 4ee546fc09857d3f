"""Rows of figures, of bounded number: what is left out is counted, so that an answer can say it."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

Rows: TypeAlias = list[dict[str, Any]]


@dataclass(frozen=True)
class First:
    """The first rows, and how many more there are."""

    rows: Rows
    left_out: int = 0

    def told(self, what: str, table: str) -> str:
        """For an answer's filter; nothing if nothing was left out."""
        if not self.left_out:
            return ""
        return f"The first {len(self.rows)} {what}; {self.left_out} more are in the table {table}."


def read_first(most: int, frame: DataFrame, *order: Column | str) -> First:
    every = F.count(F.lit(1)).over(Window.partitionBy(F.lit(1)))
    found = frame.withColumn("every", every).orderBy(*order).limit(most).collect()
    rows = [row.asDict() for row in found]
    numbers = [row.pop("every") for row in rows]
    return First(rows, max(numbers, default=0) - len(rows))
