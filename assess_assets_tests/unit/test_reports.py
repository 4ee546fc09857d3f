"""Reports: what comes from data stays text in every format, and equal answers give equal bytes."""

import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from assess_assets.customer_names import encode_customer
from assess_assets.reports import wording
from assess_assets.reports.charts import draw_charts
from assess_assets.reports.html import render_html
from assess_assets.reports.markdown import escape, render_markdown, summary_of
from assess_assets.reports.terminal import AnswersOnTerminal
from assess_assets.tables.exams import EXAM_COUNTS
from assess_assets.tables.performance import EXAM_PERFORMANCE
from assess_assets.transforms.answers.answer import Answers
from assess_assets.transforms.answers.answering import answers_from
from assess_assets.transforms.answers.breakdowns import Counted, Fates
from assess_assets.transforms.answers.figures import Figures
from assess_assets.transforms.answers.hardest import Hardest
from assess_assets.transforms.answers.rows import First
from assess_assets.transforms.answers.sums import AttemptFigures, Sums

HOSTILE = (
    "A | B \\| C",
    '<script>alert("x")</script>',
    "two\nlines\r\n\n# and a heading",
    "[click](javascript:alert(1)) ![x](http://evil.example/x.png)",
    "http://evil.example/ <http://evil.example> www.evil.example a@evil.example",
    "`code` **bold** _it_ ~~no~~ &lt; &amp; $x$",
    "\x1b[31mred\x1b[0m [bold]rich[/bold] \u202egnirts",
    "Überprüfung – 試験 🎓 'quoted' \"twice\"",
)
_SUMS = {
    "attempts": 3,
    "scored": 2,
    "score": 1.5,
    "score_deviations": 0.125,
    "correct": 6,
    "total": 8,
    "all_correct": 1,
    "scored_all_correct": 1,
    "passing": 1,
    "shown": 12,
    "test": 0,
    "repeated": 1,
}


def _exam(place: int, name: str) -> dict[str, Any]:
    averages = {
        f"average_{what}{weight}": 0.25
        for what in ("correct", "incorrect", "incomplete", "unanswered", "score")
        for weight in ("", "_by_message")
    }
    return {
        "exam_name": name,
        "popularity_rank": place,
        "messages": 90 - place,
        "attempts": 80 - place,
        "is_test": False,
        "first_taken": 1_511_224_928_990_000,
        "last_taken": 1_517_167_073_796_000,
        "scored_attempts": 80 - place,
        "scored_messages": 90 - place,
        "score_stddev": None,
        "all_correct_attempts": 3,
        "all_correct_messages": 4,
        **averages,
    }


def _figures(names: tuple[str, ...]) -> Figures:
    empty = Sums(dict.fromkeys(_SUMS, 0), dict.fromkeys(_SUMS, 0))
    sums = Sums({**_SUMS, "attempts": 4}, _SUMS) if names else empty
    exams = [_exam(place, name) for place, name in enumerate(names, start=1)]
    labels = [Counted("2017-11-21", 4, 3)] if names else []
    questions = [
        {
            "exam_name": name,
            "question_id": f"question|{name}",
            "shown": 12,
            "answered": 11,
            "incorrect": 4,
            "missed_some": 1,
            "share_wrong": 5 / 11,
        }
        for name in names
    ]
    fates = {"accepted": 3, "duplicate": 1, "conflict": 1, "quarantined": 2}
    totals = ("names", "real_names", "shared_names", "forms", "real_forms")
    more = ("questions", "never_wrong", "never_answered")
    durations = ("attempts", "messages", "until_last", "between")
    by_message = ("until_last_by_message", "between_by_message")
    window = (1_511_224_928_990_000, 1_517_167_073_796_000) if names else (None, None)
    return Figures(
        exam=names[0] if names else None,
        attempts=AttemptFigures(sums, sums, {"started_at": window, "keen_timestamp": window}),
        fates=Fates(fates if names else dict.fromkeys(fates, 0), {"not_json": 2} if names else {}),
        breakdowns={
            "sent": [Counted("01", 2, 2)] if names else [],
            "tenth": [Counted("05", 3, 2), Counted("none", 1, 1)] if names else [],
            "length": [Counted("04", 4, 3), Counted("more", 1, 1)] if names else [],
            **dict.fromkeys(("certification", "mismatch", "day", "month", "hour"), labels),
        },
        exams=exams,
        shared_names=First([]),
        totals={**dict.fromkeys((*totals, *more), 0), "names": len(names)},
        hardest_exams=Hardest(exams, 10),
        hardest_questions=Hardest(questions, 10),
        durations=dict.fromkeys((*durations, *by_message), 60 if names else 0),
        positions=First([]),
    )


@pytest.fixture(scope="module")
def hostile() -> Answers:
    return answers_from("_3cb_3e", 2, 5, _figures(HOSTILE))  # the customer is called <b>


@pytest.fixture(scope="module")
def nobody() -> Answers:
    return answers_from("nobody", 1, 0, _figures(()))


@pytest.fixture(scope="module")
def html(hostile: Answers) -> str:
    return _html(hostile)


class _Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.cells: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.cells:
            self.cells[-1] += data


def _html(answers: Answers) -> str:
    return render_html(answers, render_markdown(answers))


def test_names_from_data_add_no_tag_to_the_page(html: str) -> None:
    harmless = answers_from("acme", 2, 5, _figures(tuple(f"Exam {i}" for i in range(8))))
    assert _Page(html).tags == _Page(_html(harmless)).tags


def test_names_from_data_are_shown_as_they_are_on_one_line(html: str) -> None:
    cells = {cell.strip() for cell in _Page(html).cells}
    assert {wording.one_line(name) for name in HOSTILE} <= cells


def test_every_row_of_a_markdown_table_has_as_many_cells_as_its_head(hostile: Answers) -> None:
    markdown = render_markdown(hostile)
    widths: list[int] = []
    for line in markdown.splitlines():
        if not line.startswith("|"):
            widths = []
            continue
        widths.append(len(re.findall(r"(?<!\\)\|", line.replace(r"\\", ""))))
        assert widths[-1] == widths[0], line


@pytest.mark.parametrize("name", HOSTILE)
def test_escaped_text_has_no_markup_left(name: str) -> None:
    escaped = escape(name)
    assert "\n" not in escaped
    assert "<" not in escaped
    assert "://" not in escaped
    assert not re.search(r"(?<!\\)[`*_\[\]|~]", escaped.replace(r"\\", ""))


@pytest.mark.parametrize("text", ["# a", "- a", "+ a", "1. a", "12) a"])
def test_text_does_not_open_a_heading_or_a_list(text: str) -> None:
    assert not re.match(r"#|[-+]\s|\d+[.)]\s", escape(text))


@pytest.mark.parametrize("name", ["Track #", "Track ##", "C#", "# 1 #", "#"])
def test_hashes_at_the_end_of_a_name_are_part_of_the_heading(name: str) -> None:
    answers = answers_from("acme", 2, 5, _figures((name,)))
    shown = _Page(MarkdownIt().render(render_markdown(answers))).text.splitlines()
    assert f"One exam: {name}" in shown


def test_a_page_loads_nothing_and_runs_nothing(html: str) -> None:
    page = _Page(html)
    assert not page.tags & {"script", "link", "img", "iframe", "object", "embed", "image", "use"}
    names = {name for name, _ in page.attributes}
    assert not any(name.startswith("on") for name in names)
    assert not names & {"src", "srcset", "data"}
    links = [value for name, value in page.attributes if name in {"href", "xlink:href"}]
    assert links
    assert all(link.startswith("#") for link in links)
    style = html.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_ids_on_a_page_are_unique_and_links_lead_somewhere(html: str) -> None:
    attributes = _Page(html).attributes
    ids = [value for name, value in attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value[1:] for name, value in attributes if name == "href"} <= set(ids)
    used = re.findall(r"url\(#([^)]+)\)", " ".join(value for _, value in attributes))
    assert set(used) <= set(ids)


def test_equal_answers_give_equal_bytes_also_later_in_a_process(
    html: str, hostile: Answers
) -> None:
    _html(replace(hostile, batch=6))
    assert _html(hostile) == html


def test_reports_name_no_column_that_identifies_a_person_or_an_attempt(
    html: str, hostile: Answers
) -> None:
    told = render_markdown(hostile).replace("\\", "") + html
    for name in ("user_exam_id", "keen_id", "fingerprint"):
        assert name not in told


def test_every_answer_is_told_with_its_definition_and_its_filter(
    html: str, hostile: Answers
) -> None:
    markdown, page = render_markdown(hostile), _Page(html).text
    terminal = _terminal(hostile)
    for section in hostile.sections:
        for answer in section.answers:
            assert f"{escape(answer.definition)} *Filter:* {escape(answer.filter)}" in markdown
            assert wording.one_line(answer.definition, 400) in page
            assert answer.definition in terminal


def test_a_report_names_its_customer_build_and_batch(html: str, hostile: Answers) -> None:
    assert "Customer `_3cb_3e`, build 2, up to batch 5." in render_markdown(hostile)
    page = _Page(html).text
    assert "<b>" in page
    assert "Customer _3cb_3e, build 2, up to batch 5." in page


def test_customers_whose_names_look_alike_are_told_apart_by_their_keys(hostile: Answers) -> None:
    keys = [encode_customer(name) for name in ("two words", "two\twords")]
    both = [replace(hostile, customer=key) for key in keys]
    first_lines = [_terminal(answers).splitlines()[0] for answers in both]
    titles = [_html(answers).partition("<title>")[2].partition("</title>")[0] for answers in both]
    for key, line, title in zip(keys, first_lines, titles, strict=True):
        assert line.startswith(f"two words ({key}): build 2")
        assert title == f"Assessments of two words ({key})"
    assert wording.named_with_key("acme") == "acme"


def test_column_definitions_are_those_of_the_contracts(hostile: Answers) -> None:
    markdown = render_markdown(hostile)
    for table in (EXAM_COUNTS, EXAM_PERFORMANCE):
        assert escape(table.grain) in markdown
        for column in table:
            assert f"| {escape(column.name)} |" in markdown
            assert escape(column.meaning) in markdown


def test_a_summary_is_the_part_at_a_glance(hostile: Answers) -> None:
    summary = summary_of(render_markdown(hostile))
    assert "| Attempts | 4 | 3 |" in summary
    assert "##" not in summary


def test_a_value_that_differs_by_message_is_told_in_parentheses(hostile: Answers) -> None:
    answer = hostile["performance"]
    cells = [wording.cell(answer.rows[0], field) for field in answer.fields]
    expected = ["79 (89)", "0.25", "0.25", "0.25", "0.25", "25.00 %", "3 (4)"]
    assert cells[1:] == expected


def test_charts_show_what_there_is(html: str, nobody: Answers) -> None:
    assert html.count("<svg") == 5
    assert _html(nobody).count("<svg") == 0


def test_who_hears_the_page_is_told_what_a_chart_and_a_column_are(html: str) -> None:
    assert html.count('role="img" aria-label="Attempts by day') == 1
    assert html.count('role="img" aria-label="') == html.count("<svg") == 5
    assert "<th>" not in html
    assert '<th scope="col"' in html


@pytest.mark.parametrize(
    ("days", "marks"),
    [
        (["2018-02-05"], ["5 Feb", "6 Feb"]),
        (["2018-02-05", "2018-02-06"], ["5 Feb", "6 Feb", "7 Feb"]),
        (["2018-01-31", "2018-02-02"], ["31 Jan", "1 Feb", "2 Feb", "3 Feb"]),
    ],
)
def test_an_axis_of_few_days_names_each_once(days: list[str], marks: list[str]) -> None:
    figures = _figures(HOSTILE)
    counted = [Counted(day, 2, 2) for day in days]
    figures = replace(figures, breakdowns={**figures.breakdowns, "day": counted})
    page = _html(answers_from("acme", 1, 1, figures))
    assert re.findall(r">([0-9]+ [A-Z][a-z]{2})</text>", page) == marks


def _chart_of_days(days: dict[str, int], months: dict[str, int] | None = None) -> str:
    """The chart of attempts by time."""

    def counted(by_label: dict[str, int]) -> list[Counted]:
        return [Counted(label, attempts, attempts) for label, attempts in by_label.items()]

    figures = _figures(HOSTILE)
    times = {"day": counted(days), "month": counted(months or {})}
    figures = replace(figures, breakdowns={**figures.breakdowns, **times})
    return draw_charts(answers_from("acme", 1, 1, figures))["time"][0].svg


def test_few_days_of_several_years_are_drawn_by_month_with_their_years() -> None:
    days = {"2016-03-02": 4, "2017-01-05": 1, "2018-09-30": 2}
    chart = _chart_of_days(days, {day[:7]: attempts for day, attempts in days.items()})
    assert 'aria-label="Attempts by month, 2016-03 to 2018-09."' in chart
    assert re.search(r">[A-Z][a-z]{2} 2017</text>", chart)


@pytest.mark.parametrize("most", [1, 2, 3, 12])
def test_an_axis_of_attempts_has_whole_numbers_only(most: int) -> None:
    marks = re.findall(r">([0-9.]+)</text>", _chart_of_days({"2018-02-05": most}))
    assert marks[0] == "0"
    assert str(most) in marks
    assert all(mark.isdecimal() for mark in marks)


def test_a_report_about_nothing_says_so(nobody: Answers) -> None:
    markdown = render_markdown(nobody)
    assert "| Average share correct | – | – |" in markdown
    assert "None.\n" in markdown
    assert "There are no attempts yet." in _Page(_html(nobody)).text
    assert "None." in _terminal(nobody)


def test_a_terminal_gets_no_control_sequences_and_no_markup_from_data(hostile: Answers) -> None:
    told = _terminal(hostile)
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert "[bold]rich[/bold]" in told


def test_a_terminal_says_how_many_rows_it_left_out(hostile: Answers) -> None:
    assert "and 5 more: --limit shows more" in _terminal(hostile, most=3)
    assert "--limit" not in _terminal(hostile, most=None)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (None, "percent", "–"),
        (3280, "messages", "3,280"),
        (62.65699745547047, "percent", "62.66 %"),
        (7.431079826732673, "minutes", "7.43 min"),
        (1.0117211597779148, "messages", "1.01"),
        ("2017-11-21T00:42:08.990Z", "time", "2017-11-21 00:42:08 UTC"),
        (0, "percent", "0.00 %"),
        (True, "", "yes"),
    ],
)
def test_values_are_told_with_their_unit(value: Any, unit: str, expected: str) -> None:
    assert wording.shown(value, unit) == expected


def test_a_long_name_is_cut() -> None:
    assert wording.one_line("x" * 500) == "x" * 119 + "…"


def _terminal(answers: Answers, most: int | None = 20) -> str:
    out = io.StringIO()
    console = Console(file=out, width=1500, highlight=False, markup=False, emoji=False)
    console.print(AnswersOnTerminal(answers, most))
    return out.getvalue()
