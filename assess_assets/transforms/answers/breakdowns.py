"""Messages and attempts by what they have in common: day, score, length, certification, ...

Belongs here: one scan of the attempts that counts all of these at once, and the ledger's fates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from assess_assets.tables.fates import FATES

LONGEST = 20


@dataclass(frozen=True)
class Counted:
    """One label of a kind, with its messages and attempts."""

    label: str
    messages: int
    attempts: int


Breakdowns: TypeAlias = Mapping[str, list[Counted]]


def break_down(attempts: DataFrame) -> Breakdowns:
    """Every kind's labels, in the order of their text. Days are bounded by the contract's times."""
    labels = [
        F.struct(F.lit(kind).alias("kind"), label.alias("label"))
        for kind, label in _labels().items()
    ]
    each = attempts.select("messages", F.explode(F.array(*labels)).alias("of"))
    counted = each.groupBy(F.col("of.kind").alias("kind"), F.col("of.label").alias("label")).agg(
        F.sum("messages").alias("messages"), F.count(F.lit(1)).alias("attempts")
    )
    found: dict[str, list[Counted]] = {kind: [] for kind in _labels()}
    for row in counted.orderBy("kind", "label").collect():
        found[row.kind].append(Counted(row.label, row.messages, row.attempts))
    return found


def _labels() -> dict[str, Column]:
    started = F.col("started_at")
    # Whole tenths of a score, from its integers; all correct is a tenth of its own.
    tenth = F.floor(F.col("reported_correct") * 10 / F.nullif("reported_total", F.lit(0)))
    total = F.col("reported_total")
    return {
        "certification": F.coalesce(F.col("certification").cast("string"), F.lit("not said")),
        "day": F.date_format(started, "yyyy-MM-dd"),
        "month": F.date_format(started, "yyyy-MM"),
        "hour": F.date_format(started, "HH"),
        "tenth": F.when(F.col("score").isNull(), "none").otherwise(
            F.lpad(F.least(tenth, F.lit(10)).cast("string"), 2, "0")
        ),
        "length": F.when(total.isNull(), "not said")
        .when(total > LONGEST, "more")
        .otherwise(F.lpad(total.cast("string"), 2, "0")),
        "sent": F.when(F.col("messages") > LONGEST, "more").otherwise(
            F.lpad(F.col("messages").cast("string"), 2, "0")
        ),
        "mismatch": F.col("mismatch"),
    }


@dataclass(frozen=True)
class Fates:
    """Messages by fate, and refused ones by the rule that they break."""

    fates: Mapping[str, int]
    reasons: Mapping[str, int]

    @property
    def messages(self) -> int:
        return sum(self.fates.values())


def count_fates(ledger: DataFrame) -> Fates:
    """`why` of a quarantined message starts with the rule's name; the path is left out."""
    rule = F.when(F.col("fate") == "quarantined", F.substring_index("why", " at ", 1))
    rows = ledger.groupBy("fate", rule.alias("rule")).agg(F.count(F.lit(1)).alias("messages"))
    fates: dict[str, int] = dict.fromkeys(FATES, 0)
    reasons: dict[str, int] = {}
    for row in rows.collect():
        fates[row.fate] += row.messages
        if row.rule is not None:
            reasons[row.rule] = row.messages
    ordered = sorted(reasons.items(), key=lambda reason: (-reason[1], reason[0]))
    return Fates(fates, dict(ordered))
