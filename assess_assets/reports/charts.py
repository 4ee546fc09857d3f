"""Charts of the report as inline SVG, by Vega-Lite in vl-convert: no browser, no scripts, no links.

Belongs here: what each chart shows, as a Vega-Lite specification
(https://vega.github.io/vega-lite/docs/spec.html). The same answers give the same bytes. Colors of
text and lines are the page's, so that they follow light and dark.

Not by way of Altair: importing it takes 0.5 s, and checking what is written here once and for all
half of each chart's time, at every report of every customer.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import vl_convert
from markupsafe import escape

from assess_assets.reports.wording import one_line, shown
from assess_assets.transforms.answers.answer import Answers, Row

ACCENT = "#4f7fd9"
MUTED = "#b9c3d6"
INK = "#1d2433"
WIDTH = 720
EXAM_PIXELS, FATE_PIXELS, VALUE_PIXELS = 300, 100, 110
MOST_DAYS = 120
FEW_TICKS = 14

VALUE = {"field": "value", "type": "quantitative"}
TEXT = {"field": "text", "type": "nominal"}
AS_GIVEN = {"field": "color", "type": "nominal", "scale": None}
LOOK = {
    "background": "transparent",
    "font": "sans-serif",
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "titleFontWeight": "normal",
        "gridColor": "#d8dde6",
    },
    "text": {"color": INK, "fontSize": 12},
    "view": {"stroke": None},
}


@dataclass(frozen=True)
class Figure:
    """One chart: its SVG and the sentence below it."""

    svg: str
    caption: str


def draw_charts(answers: Answers) -> dict[str, list[Figure]]:
    """Charts by the section that they belong to; none of what is empty."""
    drawn: dict[str, list[Figure]] = {}
    for section, draw in _CHARTS:
        figure = draw(answers)
        if figure is not None:
            svg = _renumbered(figure.svg, f"chart-{section}")
            named = f'class="marks" role="img" aria-label="{escape(figure.caption)}"'
            figure = replace(figure, svg=svg.replace('class="marks"', named, 1))
            drawn.setdefault(section, []).append(figure)
    return drawn


def _fates(answers: Answers) -> Figure | None:
    rows = [row for row in answers["fates"].rows[1:] if row["messages"]]
    if not rows:
        return None
    names = {"accepted: attempts": "accepted"}
    data: list[Row] = [
        {
            "label": names.get(str(row["step"]), str(row["step"]).removeprefix("less ")),
            "value": row["messages"],
            "text": f"{shown(row['messages'])}  ({shown(row['share'], 'percent')})",
            "color": ACCENT if row["step"] in names else MUTED,
        }
        for row in reversed(rows)
    ]
    return Figure(_bars(data, FATE_PIXELS), "Messages by fate.")


def _popular(answers: Answers) -> Figure | None:
    return _ranking(answers, "most_popular", "messages", "", "Messages of the most popular exams.")


def _hardest(answers: Answers) -> Figure | None:
    caption = "Share of wrong answers of the hardest questions (first characters of their ids)."
    return _ranking(answers, "hardest_questions", "share_wrong", "percent", caption)


def _scores(answers: Answers) -> Figure | None:
    scored = [row for row in answers["distribution"].rows if row["label"] != "no score"]
    if not any(row["attempts"] for row in scored):
        return None
    data: list[Row] = [
        {
            "label": str(row["label"]).replace(" to ", "–").removesuffix(" %"),
            "value": row["attempts"],
            "text": shown(row["attempts"]),
            "color": ACCENT if row["label"] == "100 %" else MUTED,
        }
        for row in scored
    ]
    return Figure(_columns(data, "score in %", "attempts"), "Attempts by score.")


def _times(answers: Answers) -> Figure | None:
    days = answers["days"].rows
    if not days:
        return None
    first, last = (date.fromisoformat(str(row["label"])) for row in (days[0], days[-1]))
    span = (last - first).days
    by_day = span < MOST_DAYS  # a day of years is thinner than a line
    rows, unit = (days, "day") if by_day else (answers["months"].rows, "month")
    data: list[Row] = [{"label": row["label"], "value": row["attempts"]} for row in rows]
    is_short = span <= FEW_TICKS * (1 if by_day else 31)
    # Else Vega marks parts of a day, or of a month, when there are few.
    ticks = {"tickCount": {"interval": unit, "step": 1}} if is_short else {}
    by_time = {
        "field": "label",
        "type": "temporal",
        "title": None,
        "timeUnit": "utcyearmonthdate" if by_day else "utcyearmonth",
        "axis": {"format": "%-d %b" if by_day else "%b %Y", "labelOverlap": True, **ticks},
    }
    chart = {
        "mark": {"type": "bar", "color": ACCENT},
        "encoding": {"x": by_time, "y": {**VALUE, "title": "attempts", "axis": _whole(data)}},
        "width": WIDTH - 40,
        "height": 180,
    }
    caption = f"Attempts by {unit}, {rows[0]['label']} to {rows[-1]['label']}."
    return Figure(_svg(data, chart), caption)


_CHARTS: tuple[tuple[str, Callable[[Answers], Figure | None]], ...] = (
    ("messages", _fates),
    ("exams", _popular),
    ("scores", _scores),
    ("questions", _hardest),
    ("time", _times),
)


def _ranking(answers: Answers, name: str, measure: str, unit: str, caption: str) -> Figure | None:
    rows = answers[name].rows
    if not rows:
        return None
    data: list[Row] = [
        {
            "label": _label(row),
            "value": row[measure],
            "text": shown(row[measure], unit),
            "color": ACCENT,
        }
        for row in rows
    ]
    return Figure(_bars(data, EXAM_PIXELS), caption)


def _label(row: Row) -> str:
    """An exam, or a question of it. Names stay apart though they be cut alike: data is in order."""
    if "question_id" not in row:
        return one_line(str(row["exam"]), 40)
    return f"{one_line(str(row['exam']), 30)} · {one_line(str(row['question_id']), 9)}"


def _bars(data: list[Row], label_pixels: int) -> str:
    """Horizontal bars in the order of the data, each with its label before and its value behind."""
    place = {"field": "place", "type": "ordinal", "axis": None}
    mark = {"type": "bar", "cornerRadiusEnd": 3, "height": {"band": 0.72}}
    value = {"type": "text", "align": "left", "dx": 6}
    label = {"type": "text", "align": "right", "dx": -8, "limit": label_pixels - 10}
    length = {**VALUE, "axis": None}
    chart = {
        "layer": [
            {"mark": mark, "encoding": {"x": length, "color": AS_GIVEN}},
            {"mark": value, "encoding": {"x": length, "text": TEXT}},
            {"mark": label, "encoding": {"x": {"value": 0}, "text": {**TEXT, "field": "label"}}},
        ],
        "encoding": {"y": place},
        "width": WIDTH - label_pixels - VALUE_PIXELS,
        "height": 26 * len(data),
        "padding": {"left": label_pixels, "right": VALUE_PIXELS, "top": 0, "bottom": 0},
        "autosize": "none",
    }
    return _svg([{**row, "place": number} for number, row in enumerate(data)], chart)


def _columns(data: list[Row], title: str, measure: str) -> str:
    """Upright bars in the order of the data, each with its value above it."""
    label = {
        "field": "label",
        "type": "nominal",
        "title": title,
        "sort": [str(row["label"]) for row in data],
        "axis": {"labelAngle": 0},
    }
    chart = {
        "layer": [
            {"mark": {"type": "bar", "cornerRadiusEnd": 3}, "encoding": {"color": AS_GIVEN}},
            {"mark": {"type": "text", "dy": -8}, "encoding": {"text": TEXT}},
        ],
        "encoding": {"x": label, "y": {**VALUE, "title": measure, "axis": _whole(data)}},
        "width": WIDTH - 40,
        "height": 220,
    }
    return _svg(data, chart)


def _whole(data: list[Row]) -> dict[str, Any]:
    """An axis of whole numbers. The smallest step alone leaves Vega halves of one and of two."""
    most = max(int(row["value"] or 0) for row in data)
    return {"tickMinStep": 1, **({"tickCount": most} if most < 3 else {})}


def _svg(data: list[Row], chart: Mapping[str, Any]) -> str:
    drawn: str = vl_convert.vegalite_to_svg({**chart, "data": {"values": data}, "config": LOOK})
    return drawn


def _renumbered(svg: str, prefix: str) -> str:
    """Vega numbers clip paths from the start of the process: here from 1, and apart on one page."""
    ids = {name: f"{prefix}-{place}" for place, name in enumerate(_CLIP_ID.findall(svg), start=1)}
    return _CLIP.sub(lambda clip: clip[1] + ids.get(clip[2], clip[2]) + clip[3], svg)


_CLIP_ID = re.compile(r'<clipPath id="(clip[0-9]+)"')
_CLIP = re.compile(r'(<clipPath id="|="url\(#)(clip[0-9]+)("|\)")')
