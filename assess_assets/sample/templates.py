"""Plausible attempts by the hundred thousand: rendered once per exam, then filled in.

Belongs here: messages fast enough to load a platform with. Does not: what a message looks like
(`records`), files, defects (`load`).

Many answered attempts of each exam are rendered in full, with everything in them but the hour, the
ids and the collector's times. An attempt is one of these with those four filled in: what it takes
is two replacements and a join. So answers repeat after a while, and ids and moments do not.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from assess_assets.sample.defects.kinds import dump
from assess_assets.sample.exams import exams
from assess_assets.sample.records import Form, attempt, make_form

EXAMS: Final = 24
ATTEMPTS_PER_EXAM: Final = 64
MIN_QUESTIONS: Final = 5  # so that a message has 3.3 KB in the mean
FIRST_HOUR: Final = datetime(2018, 2, 1, tzinfo=UTC)
HOURS: Final = 24 * 365

_HOUR: Final = b"2018-02-01T00:"
_ATTEMPT: Final = "\x01"  # escaped in JSON: nothing else looks like it
_MARK: Final = b"\x02"


@dataclass(frozen=True, slots=True)
class Template:
    """The pieces of a message around its attempt id, its collector's times and id, its hours."""

    pieces: tuple[bytes, ...]
    recorded: int  # seconds after the hour


class Templates:
    """Messages of made-up attempts, the same ones for the same generator."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        known = [exam for exam in exams() if exam.questions >= MIN_QUESTIONS and not exam.is_test]
        self._templates: list[list[Template]] = []
        self._weights: list[int] = []
        for exam in known[:EXAMS]:
            form = make_form(rng, exam.name, exam.questions, exam.base_exam_id)
            self._templates.append([_template(rng, form) for _ in range(ATTEMPTS_PER_EXAM)])
            self._weights.append(exam.questions)
        self._hours = [
            (FIRST_HOUR + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:").encode()
            for hour in range(HOURS)
        ]
        self._first = int(FIRST_HOUR.timestamp())
        self._chosen: list[list[Template]] = []

    def message(self) -> bytes:
        """The next attempt's message, of an attempt of its own."""
        rng = self._rng
        if not self._chosen:
            self._chosen = rng.choices(self._templates, self._weights, k=4096)
        template = rng.choice(self._chosen.pop())
        hour = rng.randrange(HOURS)
        recorded = self._first + 3600 * hour + template.recorded
        bits = rng.getrandbits(128)
        attempt_id = b"%08x-%04x-4%03x-%04x-%012x" % (
            bits >> 96,
            bits >> 80 & 0xFFFF,
            bits >> 64 & 0xFFF,
            bits >> 48 & 0x3FFF | 0x8000,
            bits & 0xFFFFFFFFFFFF,
        )
        seconds = b"%d.%06d" % (recorded, 1 + bits % 999_999)
        keen_id = b"%08x%06x0001%06x" % (recorded, bits >> 104, bits & 0xFFFFFF)
        one, two, three, four, five = template.pieces
        filled = b"".join((one, seconds, two, attempt_id, three, seconds, four, keen_id, five))
        return filled.replace(_MARK, self._hours[hour])


def _template(rng: random.Random, form: Form) -> Template:
    """One attempt, started in the first minutes of the first hour and ended within it."""
    start = int(FIRST_HOUR.timestamp()) * 1000
    record = attempt(rng, form, start + rng.randrange(1_200_000), user_exam_id=_ATTEMPT)
    recorded = int(float(record["keen_timestamp"])) - start // 1000
    record |= dict.fromkeys(("keen_timestamp", "keen_created_at", "keen_id"), _ATTEMPT)
    rendered = dump(record).replace(_HOUR, _MARK)
    return Template(tuple(rendered.split(dump(_ATTEMPT)[1:-1])), recorded)
