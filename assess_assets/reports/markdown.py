"""The report as Markdown: every answer with its definition and its filter, both countings beside.

Belongs here: the template's environment and the escaping of Markdown. What is said is in
`customer_report.md.j2`.
"""

import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from assess_assets.customer_names import decode_customer
from assess_assets.reports import wording
from assess_assets.tables.contract import Column, TableContract
from assess_assets.tables.exams import EXAM_COUNTS, EXAMS
from assess_assets.tables.fates import MESSAGE_LEDGER
from assess_assets.tables.performance import EXAM_PERFORMANCE, QUESTION_DIFFICULTY
from assess_assets.transforms.answers.answer import Answers

GLANCE = "At a glance"
APPENDIX = (MESSAGE_LEDGER, EXAMS, EXAM_COUNTS, EXAM_PERFORMANCE, QUESTION_DIFFICULTY)

# What Markdown, its tables or HTML would read as more than a letter.
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~$])")
_END_OF_HEADING = re.compile(r"(?<=\s)(#+)$")  # hashes that would close it and not be shown
_START_OF_BLOCK = re.compile(r"^(#+|[+-]|\d+[.)])(?=\s|$)")


def escape(text: str) -> str:
    """Text that Markdown shows as it is: one line, no markup, no HTML, no links."""
    line = wording.one_line(text, longest=400).replace("&", "&amp;")
    line = _SPECIAL.sub(r"\\\1", line).replace(r"\<", "&lt;").replace(r"\>", "&gt;")
    for structure in (_START_OF_BLOCK, _END_OF_HEADING):
        line = structure.sub(lambda match: _numeric(match[1]), line)
    return line.replace("://", "&#58;//").replace("@", "&#64;").replace("www.", "www&#46;")


def _numeric(text: str) -> str:
    return text[:-1] + f"&#{ord(text[-1])};"


def render_markdown(answers: Answers) -> str:
    """The same bytes for the same answers."""
    return _template().render(
        answers=answers,
        name=decode_customer(answers.customer),
        glance=GLANCE,
        headlines=wording.headlines(answers),
        appendix=[(table, public_columns(table)) for table in APPENDIX],
        shown=wording.shown,
        cell=wording.cell,
        is_numeric=wording.is_numeric,
    )


@cache
def _template() -> Template:
    """Kept: to compile the template takes longer than to fill it in."""
    environment = Environment(
        loader=PackageLoader("assess_assets.reports", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown has its own escaping; everything from data goes through `md`
    )
    environment.filters["md"] = escape
    return environment.get_template("customer_report.md.j2")


def public_columns(table: TableContract) -> list[Column]:
    return [column for column in table if not column.personal]


def summary_of(markdown: str) -> str:
    """The part of a report that tells it at a glance."""
    return markdown.partition(f"## {GLANCE}\n")[2].partition("\n## ")[0].strip()
