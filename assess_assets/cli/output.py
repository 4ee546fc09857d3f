"""How rows are shown: compactly to people, completely to programs.

Belongs here: a value as text or JSON, a table that fits the screen. Nothing about any table.
"""

import base64
import json
import math
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import accumulate
from typing import Any, Final

import typer

CELL_WIDTH: Final = 36  # a UUID: no column is cut below it, the last ones are left out instead
GAP: Final = 3  # between columns
PIPED_WIDTH: Final = 160  # of output that no terminal limits


def json_value(value: Any) -> Any:
    """The value as JSON has it: nothing cut, times in UTC, what JSON has no word for as text.

    A decimal without fraction digits, as DuckDB's sum of integers is, becomes an integer. One with
    fraction digits stays text, which is exact: readers of JSON make floats of such numbers.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case Decimal() if value.is_finite() and int(value.as_tuple().exponent) >= 0:
            return int(value)
        case dict():
            return {str(key): json_value(item) for key, item in value.items()}
        case list() | tuple():
            return [json_value(item) for item in value]
        case _:
            return _as_text(value)


def _as_text(value: Any) -> str:
    match value:
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                return base64.b64encode(value).decode()
        case datetime():
            if value.tzinfo is not None:
                return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
            return value.isoformat()
        case date() | time():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case _:
            return str(value)


def print_json(value: Any) -> None:
    """One document, readable."""
    typer.echo(_json(value, indent=2))


def print_json_rows(rows: Iterable[dict[str, Any]]) -> None:
    """A JSON array with one row per line."""
    separator = "["
    for row in rows:
        typer.echo(f"{separator}\n{_json(row)}", nl=False)
        separator = ","
    typer.echo("[]" if separator == "[" else "\n]")


def _json(value: Any, indent: int | None = None) -> str:
    """Where the output is not UTF-8, with JSON's own escapes: no character may get lost."""
    is_plain = "utf" not in (sys.stdout.encoding or "").lower()
    return json.dumps(json_value(value), ensure_ascii=is_plain, indent=indent, allow_nan=False)


def cell(value: Any, width: int = CELL_WIDTH) -> str:
    """The value on one line, cut. What a terminal would obey is escaped: data is not to be run."""
    if value is None:
        return "-"
    plain = json_value(value)
    if isinstance(plain, dict | list | bool):
        plain = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    text = str(plain)
    cut = text if len(text) <= width else text[: width - 1] + "…"
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in cut)


def print_rows(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table as wide as the screen: where it has no room, the widest columns are cut first.

    Columns that don't fit even when all are cut to CELL_WIDTH are named below the table.
    """
    from rich.box import SIMPLE_HEAD
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    is_terminal = sys.stdout.isatty()
    screen = shutil.get_terminal_size((PIPED_WIDTH, 24)).columns if is_terminal else PIPED_WIDTH
    cells = [[cell(value, screen) for value in row] for row in rows]
    heads = [cell_len(name) for name in columns]
    needs = [max([0, *(cell_len(row[index]) for row in cells)]) for index in range(len(columns))]
    widths = _fitted(heads, needs, screen)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for index, width in enumerate(widths):
        is_number = bool(rows) and all(_is_number(row[index]) for row in rows)
        table.add_column(
            Text(columns[index]),
            justify="right" if is_number else "left",
            no_wrap=True,
            overflow="ellipsis",
            width=width,
        )
    for row in cells:
        table.add_row(*(Text(value) for value in row[: len(widths)]))
    console = Console(width=screen, highlight=False, markup=False, emoji=False)
    console.print(table)
    if len(widths) < len(columns):
        rest = ", ".join(columns[len(widths) :])
        console.print(f"+ {len(columns) - len(widths)} more columns: {rest}", soft_wrap=True)


def say_cut(limit: int, of: str = "") -> None:
    """That there are more rows than were asked for; apart from the rows, as programs read those."""
    typer.echo(f"Only the first {limit} rows{of}: --limit gives more.", err=True)


def _fitted(heads: Sequence[int], needs: Sequence[int], screen: int) -> list[int]:
    """Widths of the first columns, as many as fit; a head is never cut."""

    def at_most(width: int) -> list[int]:
        return [max(head, min(need, width)) for head, need in zip(heads, needs, strict=True)]

    least = at_most(CELL_WIDTH)
    shown = max(1, sum(end <= screen + GAP for end in accumulate(width + GAP for width in least)))
    fitting = [
        widths
        for width in range(CELL_WIDTH, screen + 1)
        if sum(widths := at_most(width)[:shown]) + GAP * (shown - 1) <= screen
    ]
    return fitting[-1] if fitting else [min(width, screen) for width in least[:shown]]


def _is_number(value: Any) -> bool:
    return value is None or (
        isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    )
