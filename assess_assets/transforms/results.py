"""What a question's options say its result is. Used on nested and on exploded questions alike."""

from collections.abc import Callable

from pyspark.sql import Column
from pyspark.sql import functions as F


def options_checked(options: Column) -> Column:
    return _number(options, lambda option: option["checked"])


def options_correct(options: Column) -> Column:
    return _number(options, _is_correct)


def options_correct_checked(options: Column) -> Column:
    return _number(options, lambda option: option["checked"] & _is_correct(option))


def computed_result(options: Column) -> Column:
    """`unanswered`, `correct`, `missed_some` or `incorrect`; null for a question without options.

    A leaving-out of `correct` means false: the message names only what is true.
    """
    checked = options_checked(options)
    right = options_correct_checked(options)
    return (
        F.when(F.size(options) == 0, F.lit(None).cast("string"))
        .when(checked == 0, "unanswered")
        .when(right < checked, "incorrect")
        .when(right < options_correct(options), "missed_some")
        .otherwise("correct")
    )


def _is_correct(option: Column) -> Column:
    return F.coalesce(option["correct"], F.lit(False))


def _number(options: Column, condition: Callable[[Column], Column]) -> Column:
    return F.size(F.filter(options, condition)).cast("bigint")
