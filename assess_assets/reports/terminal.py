"""Answers on a terminal: both countings side by side, each with its definition.

Belongs here: layout. Nothing that comes from data is read as markup or as a control sequence.
"""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from assess_assets.reports import wording
from assess_assets.transforms.answers.answer import Answer, Answers, Section

FEW_ROWS = 20


class AnswersOnTerminal:
    """Printed by rich. `most` rows of each table; None is all."""

    def __init__(self, answers: Answers, most: int | None = FEW_ROWS) -> None:
        self._answers = answers
        self._most = most

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        answers = self._answers
        name = wording.named_with_key(answers.customer)
        yield Text(f"{name}: build {answers.build}, up to batch {answers.batch}", style="bold")
        yield Text(
            "By message, an attempt counts as often as it was sent; by attempt, once.", style="dim"
        )
        for section in answers.sections:
            yield Text()
            yield Text(wording.one_line(section.title), style="bold reverse")
            if section.values:
                yield _values(section)
            for answer in section.tables:
                yield Text()
                yield from self._table(answer)

    def _table(self, answer: Answer) -> list[Text | Padding]:
        shown = answer.rows[: self._most]
        told: list[Text | Padding] = [
            Text(wording.one_line(answer.question), style="bold"),
            _definition(answer),
        ]
        if not shown:
            return [*told, Text("  None.")]
        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for field in answer.fields:
            side = "right" if wording.is_numeric(answer, field) else "left"
            table.add_column(Text(field.title), justify=side)  # type: ignore[arg-type]
        for row in shown:
            table.add_row(*_texts([wording.cell(row, field) for field in answer.fields]))
        told.append(Padding(table, (0, 0, 0, 2)))
        left = len(answer.rows) - len(shown)
        if left:
            rest = f"  … and {left} more: --limit shows more, --json all."
            told.append(Text(rest, style="dim"))
        return told


def _values(section: Section) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, leading=1)
    table.add_column("by message", justify="right", no_wrap=True)
    table.add_column("by attempt", justify="right", no_wrap=True)
    table.add_column("")
    for answer in section.values:
        question = Text(wording.one_line(answer.question), style="bold")
        question.append_text(Text("\n").append_text(_definition(answer)))
        values = [
            wording.shown(value, answer.unit) for value in (answer.by_message, answer.by_attempt)
        ]
        table.add_row(*_texts(values), question)
    return table


def _definition(answer: Answer) -> Text:
    told = f"{answer.definition} Filter: {answer.filter}"
    return Text(wording.one_line(told, longest=1000), style="dim")


def _texts(values: Sequence[str]) -> list[Text]:
    return [Text(value) for value in values]
