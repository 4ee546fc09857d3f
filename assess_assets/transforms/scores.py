"""Sums over scores that have the same last digit however their rows are ordered and filed.

Fractions add up to another last digit in another order, and an engine has none. So rows are grouped
by score first, which only counts them, and then the few different scores are added in their order.
"""

from collections.abc import Callable

from pyspark.sql import Column
from pyspark.sql import functions as F


def in_order(*counted: str) -> Column:
    """Aggregate over rows of which each has its own `score`: these, with how often, as an array."""
    is_scored = F.col("score").isNotNull()
    return F.array_sort(F.collect_list(F.when(is_scored, F.struct("score", *counted))))


def total(scores: str, times: str) -> Column:
    """Sum of what `in_order` made, each score as often as its field `times` says; 0 without any."""
    return _add_up(scores, lambda each: each["score"] * each[times])


def squared_deviations(scores: str, times: str, mean: Column) -> Column:
    """Sum of the squares of the scores' deviations from their `mean`.

    Not from squares of scores: their last digits are lost, and with them a small spread of large
    scores.
    """

    def squared(each: Column) -> Column:
        deviation = each["score"] - mean
        return deviation * deviation * each[times]

    return _add_up(scores, squared)


def _add_up(scores: str, value: Callable[[Column], Column]) -> Column:
    return F.aggregate(scores, F.lit(0.0), lambda added, each: added + value(each))
