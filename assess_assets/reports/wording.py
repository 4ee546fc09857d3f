"""Values and names as people read them, the same in every format.

Belongs here: numbers with their unit, instants, and names from data made harmless to a line of
text. Escaping for a format is that format's.
"""

import re

from assess_assets.customer_names import decode_customer
from assess_assets.transforms.answers.answer import Answer, Answers, Field, Row, Value

LONGEST_NAME = 120
NOTHING = "–"

# Controls and line breaks, and what reverses the order of the text that follows.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")

HEADLINES = (
    ("messages", "Messages read"),
    ("attempts", "Attempts"),
    ("exam_names", "Exams"),
    ("average_score", "Average share correct"),
    ("all_correct", "Everything correct"),
    ("quarantined", "Messages refused"),
)


def one_line(text: str, longest: int = LONGEST_NAME) -> str:
    """Text from data on one line, cut short."""
    line = _UNSEEN.sub(" ", text).strip()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def named_with_key(customer: str) -> str:
    """A customer's name, and its key where that differs: names may look alike, keys don't."""
    name = one_line(decode_customer(customer))
    return name if name == customer else f"{name} ({customer})"


def shown(value: Value, unit: str = "") -> str:
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return f"{value[:10]} {value[11:19]} UTC" if unit == "time" else one_line(value)
    if unit in _SUFFIXES:
        return f"{value:,.2f}{_SUFFIXES[unit]}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


_SUFFIXES = {"percent": " %", "points": "", "minutes": " min", "average": ""}


def cell(row: Row, field: Field) -> str:
    """A value, with its twin by message in parentheses where it differs."""
    value = shown(row[field.name], field.unit)
    twin = shown(row[field.by_message], field.unit) if field.by_message else value
    return value if twin == value else f"{value} ({twin})"


def is_numeric(answer: Answer, field: Field) -> bool:
    """Whether a column is set flush right."""
    return not any(isinstance(row[field.name], str) for row in answer.rows)


def headlines(answers: Answers) -> list[tuple[str, Answer]]:
    return [(title, answers[name]) for name, title in HEADLINES]
