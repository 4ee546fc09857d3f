"""When each attempt was started, first and last answered, and recorded.

Belongs here: dates, hours and durations, to the published numbers per date and hour, the exams'
first and last dates, and the published mean durations. Does not: what was answered.

Both mean durations are whole seconds in sum: their author cut the fractions off. Here the fractions
of starts, first and last answers are the same numbers, shuffled, so means with them agree too.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate, pairwise

from assess_assets.sample.apportion import apportion
from assess_assets.sample.outcomes import Outcome
from assess_assets.sample.published import (
    BUSIEST_DATES,
    FIRST_START,
    LAST_START,
    LEARNING_GIT,
    MESSAGES_BY_HOUR,
    SECONDS_BETWEEN_ANSWERS,
    SECONDS_UNTIL_LAST_ANSWER,
)

FIRST_MOMENT = datetime.fromisoformat(FIRST_START)
LAST_MOMENT = datetime.fromisoformat(LAST_START)
FIRST_DAY, LAST_DAY = FIRST_MOMENT.date(), LAST_MOMENT.date()
HOLIDAYS = (date(2017, 12, 23), date(2018, 1, 1))
PINNED_WAIT, PINNED_SPAN = 20, 15  # seconds, of messages recorded at a known moment
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sitting:
    """The moments of one attempt, in milliseconds since 1970; recorded soon after the last."""

    started: int
    first: int
    last: int
    recorded: int


def plan_sittings(
    rng: random.Random,
    outcomes: Sequence[Outcome],
    ticks: Sequence[int],
    recorded: Mapping[int, int],
) -> list[Sitting]:
    """One per outcome. `ticks` are its dated options, `recorded` the known seconds of a few."""
    waits, spans = _durations(rng, ticks, recorded)
    git = [
        i
        for i, o in enumerate(outcomes)
        if o.exam.base_exam_id == LEARNING_GIT and ticks[i] and not o.repeated and i not in recorded
    ]
    earliest, latest = rng.sample(git, 2)
    ends = {earliest: FIRST_MOMENT, latest: LAST_MOMENT}
    starts = ends | {
        i: EPOCH
        + timedelta(seconds=second - 2 - waits[i] - spans[i], milliseconds=rng.randrange(1000))
        for i, second in recorded.items()
    }
    dates = _dates(rng, outcomes, starts)
    hours = _hours(rng, outcomes, starts, dates)
    started = []
    for i, (day, hour) in enumerate(zip(dates, hours, strict=True)):
        moment = starts.get(i) or datetime.combine(day, time(hour), UTC) + timedelta(
            milliseconds=rng.randrange(3_600_000)
        )
        started.append((moment - EPOCH) // timedelta(milliseconds=1))
    return _with_fractions(rng, started, waits, spans, ticks)


def _durations(
    rng: random.Random, ticks: Sequence[int], pinned: Mapping[int, int]
) -> tuple[list[int], list[int]]:
    """Whole seconds from the start to the first answer, and from the first to the last."""
    waits, spans = [0] * len(ticks), [0] * len(ticks)
    for i in pinned:
        waits[i], spans[i] = PINNED_WAIT, PINNED_SPAN
    answered = [i for i, number in enumerate(ticks) if number and i not in pinned]
    several = [i for i in answered if ticks[i] > 1]
    span_left = SECONDS_BETWEEN_ANSWERS - sum(spans)
    wait_left = SECONDS_UNTIL_LAST_ANSWER - SECONDS_BETWEEN_ANSWERS - sum(waits)
    raw_spans = [ticks[i] * rng.lognormvariate(0, 0.8) for i in several]
    raw_waits = [min(rng.lognormvariate(0, 1.6), 8) for _ in answered]
    for i, seconds in zip(several, _scaled(raw_spans, span_left, least=1), strict=True):
        spans[i] = seconds
    for i, seconds in zip(answered, _scaled(raw_waits, wait_left, least=2), strict=True):
        waits[i] = seconds
    return waits, spans


def _scaled(raw: Sequence[float], total: int, least: int) -> list[int]:
    """Whole numbers in proportion to `raw`, none below `least`, that add up to `total`."""
    scale = (total - least * len(raw)) / sum(raw)
    bounds = [round(part * scale) for part in accumulate(raw, initial=0.0)]
    return [least + after - before for before, after in pairwise(bounds)]


def _dates(
    rng: random.Random, outcomes: Sequence[Outcome], starts: Mapping[int, datetime]
) -> list[date]:
    chosen = {i: moment.date() for i, moment in starts.items()}
    by_exam: dict[str, list[int]] = {}
    for i, outcome in enumerate(outcomes):
        if outcome.exam.first_date and i not in chosen:
            by_exam.setdefault(outcome.exam.base_exam_id, []).append(i)
    for attempts in by_exam.values():
        exam = outcomes[attempts[0]].exam
        first, last = rng.sample(attempts, 2)
        chosen |= {first: exam.first_date or FIRST_DAY, last: exam.last_date or LAST_DAY}

    pool = list((_attempts_by_date(len(outcomes)) - Counter(chosen.values())).elements())
    rng.shuffle(pool)
    rest = [i for i in range(len(outcomes)) if i not in chosen]
    for i in sorted(rest, key=lambda i: outcomes[i].exam.last_date or LAST_DAY):
        limit = outcomes[i].exam.last_date or LAST_DAY
        place = next(place for place in reversed(range(len(pool))) if pool[place] <= limit)
        chosen[i] = pool.pop(place)
    return [chosen[i] for i in range(len(outcomes))]


def _attempts_by_date(attempts: int) -> Counter[date]:
    """The five published dates, and the rest below them, fewer on weekends and at Christmas."""
    days = [FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]
    others = [day for day in days if day not in BUSIEST_DATES]
    weights = [
        (0.5 if day.weekday() >= 5 else 1.0) * (0.6 if HOLIDAYS[0] <= day <= HOLIDAYS[1] else 1.0)
        for day in others
    ]
    highs = [min(BUSIEST_DATES.values()) - 1] * len(others)
    shares = apportion(attempts - sum(BUSIEST_DATES.values()), weights, highs=highs)
    return Counter(dict(zip(others, shares, strict=True))) + Counter(dict(BUSIEST_DATES))


def _hours(
    rng: random.Random,
    outcomes: Sequence[Outcome],
    starts: Mapping[int, datetime],
    dates: Sequence[date],
) -> list[int]:
    """Hours of the day, counted per message as published: a repeated attempt uses up several."""
    left = Counter(dict(enumerate(MESSAGES_BY_HOUR)))
    chosen = {i: moment.hour for i, moment in starts.items()}
    for i, outcome in enumerate(outcomes):
        if outcome.repeated:
            chosen[i] = rng.choices(range(1, 19), MESSAGES_BY_HOUR[1:19])[0]
    for i, hour in chosen.items():
        left[hour] -= outcomes[i].messages
    hours = list(left.elements())
    rng.shuffle(hours)
    rest = [i for i in range(len(outcomes)) if i not in chosen]
    chosen |= dict(zip(rest, hours, strict=True))
    # Nobody starts before the published first start, nor after the last: swap hours with others.
    inner = [
        i for i in rest if FIRST_DAY < dates[i] < LAST_DAY and 0 < chosen[i] < LAST_MOMENT.hour
    ]
    for i in rest:
        too_early = dates[i] == FIRST_DAY and chosen[i] == 0
        too_late = dates[i] == LAST_DAY and chosen[i] >= LAST_MOMENT.hour
        if too_early or too_late:
            other = inner.pop(rng.randrange(len(inner)))
            chosen[i], chosen[other] = chosen[other], chosen[i]
    return [chosen[i] for i in range(len(outcomes))]


def _with_fractions(
    rng: random.Random,
    started: Sequence[int],
    waits: Sequence[int],
    spans: Sequence[int],
    ticks: Sequence[int],
) -> list[Sitting]:
    answered = [i for i, number in enumerate(ticks) if number]
    last_fractions = _shuffled(rng, {i: started[i] % 1000 for i in answered})
    first_fractions = last_fractions | _shuffled(
        rng, {i: fraction for i, fraction in last_fractions.items() if ticks[i] > 1}
    )
    sittings = []
    for i, moment in enumerate(started):
        second = moment // 1000
        first = 1000 * (second + waits[i]) + first_fractions.get(i, 0)
        last = 1000 * (second + waits[i] + spans[i]) + last_fractions.get(i, 0)
        shown_until = last if ticks[i] else moment + rng.randint(5_000, 120_000)
        sittings.append(Sitting(moment, first, last, shown_until + rng.randint(800, 4_500)))
    return sittings


def _shuffled(rng: random.Random, values: Mapping[int, int]) -> dict[int, int]:
    return dict(zip(values, rng.sample(list(values.values()), len(values)), strict=True))
