"""Rows and values of answers: labels with both countings, shares, instants.

Belongs here: turning figures into plain values. What is asked and how it is defined does not.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from assess_assets.transforms.answers.answer import Field, Value
from assess_assets.transforms.answers.breakdowns import LONGEST, Counted


def share(part: float, whole: float) -> float | None:
    """In percent; None of nothing."""
    return 100 * part / whole if whole else None


def percent(fraction: float | None) -> float | None:
    return None if fraction is None else 100 * fraction


def instant(micros: int | None) -> str | None:
    """ISO 8601 in UTC, to milliseconds."""
    if micros is None:
        return None
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def counted_fields(title: str) -> tuple[Field, ...]:
    messages, attempts = Field("messages", "Messages"), Field("attempts", "Attempts")
    return (Field("label", title), messages, attempts)


def counted(labels: Iterable[Counted]) -> tuple[dict[str, Value], ...]:
    """Rows of label, messages and attempts."""
    return tuple(dict(vars(each)) for each in labels)


def numbered(labels: Iterable[Counted]) -> list[Counted]:
    """Labels that are padded numbers, as they are read."""
    names = {f"{number:02}": str(number) for number in range(LONGEST + 1)}
    names["more"] = f"more than {LONGEST}"
    return [replace(each, label=names.get(each.label, each.label)) for each in labels]
