"""The report as one page: the same Markdown, its charts, and a style of its own. Nothing is loaded.

Belongs here: Markdown to HTML with raw HTML switched off, and putting the page together. Its look
is in `page.html.j2` and `page.css`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

from assess_assets.customer_names import decode_customer
from assess_assets.reports import wording
from assess_assets.reports.charts import Figure, draw_charts
from assess_assets.reports.markdown import GLANCE
from assess_assets.transforms.answers.answer import Answers


@dataclass(frozen=True)
class Part:
    """A heading of the second level with what follows it, and its charts."""

    anchor: str
    title: Markup
    body: Markup
    figures: Sequence[Figure]


def render_html(answers: Answers, markdown: str) -> str:
    """The page of a report. The same bytes for the same answers."""
    charts = draw_charts(answers)
    anchors = ["glance", *(section.name for section in answers.sections), "definitions"]
    _, *texts = re.split(r"(?=<h2>)", _to_html(markdown))
    parts = []
    for anchor, text in zip(anchors, texts, strict=True):
        title, body = text.removeprefix("<h2>").split("</h2>", 1)
        parts.append(Part(anchor, Markup(title), Markup(body), charts.get(anchor, ())))
    page, style = (_templates().get_template(name) for name in ("page.html.j2", "page.css"))
    return page.render(
        answers=answers,
        name=wording.one_line(decode_customer(answers.customer)),
        name_and_key=wording.named_with_key(answers.customer),
        parts=[part for part in parts if part.title != GLANCE],
        headlines=wording.headlines(answers),
        shown=wording.shown,
        style=Markup(style.render()),
        svg=Markup,
    )


@cache
def _templates() -> Environment:
    """Kept: to compile the page takes longer than to fill it in."""
    return Environment(
        loader=PackageLoader("assess_assets.reports", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )


def _to_html(markdown: str) -> str:
    """CommonMark and tables. HTML within is shown as text; links and images are not made."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.disable(["link", "image", "autolink", "html_inline", "html_block"])
    parser.add_render_rule("table_open", _open_table)
    parser.add_render_rule("table_close", _close_table)
    # All else that looks like a tag is escaped by now.
    return re.sub(r"<th(?=[ >])", '<th scope="col"', parser.render(markdown))


def _open_table(
    _: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    return '<div class="table" tabindex="0"><table>'


def _close_table(
    _: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    return "</table></div>\n"
