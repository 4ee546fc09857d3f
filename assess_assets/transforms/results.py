"""What a question's options say its result is. Used on nested and on exploded questions alike."""

from collections.abc import Callable

from pyspark.sql import Column
from pyspark.sql import functions as F

Condition = Callable[[Column], Column]


def options_checked(options: Column) -> Column:
    return number_of(options, lambda option: option["checked"])


def options_correct(options: Column) -> Column:
    return number_of(options, _is_correct)


def options_correct_checked(options: Column) -> Column:
    return number_of(options, lambda option: option["checked"] & _is_correct(option))


def computed_result(options: Column) -> Column:
    """`unanswered`, `correct`, `missed_some` or `incorrect`; null for a question without options.

    A leaving-out of `correct` means false: the message names only what is true. Asked with
    `exists`, as comparing the numbers above takes four times as long.
    """
    return (
        F.when(F.size(options) == 0, F.lit(None).cast("string"))
        .when(~F.exists(options, lambda option: option["checked"]), "unanswered")
        .when(
            F.exists(options, lambda option: option["checked"] & ~_is_correct(option)), "incorrect"
        )
        .when(
            F.exists(options, lambda option: ~option["checked"] & _is_correct(option)),
            "missed_some",
        )
        .otherwise("correct")
    )


def number_of(items: Column, condition: Condition) -> Column:
    """How many items of an array meet a condition.

    Flags are made first, and those filtered: to filter the items would copy them.
    """
    flags = F.transform(items, condition)
    return F.size(F.filter(flags, lambda flag: flag)).cast("bigint")


def _is_correct(option: Column) -> Column:
    return F.coalesce(option["correct"], F.lit(False))
