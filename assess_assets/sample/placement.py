"""Which message of the file is which attempt.

Belongs here: the published number of questions of every message, the messages published one by one,
and copies of repeated attempts. Does not: what a message holds.
"""

import random
from collections.abc import Sequence

from assess_assets.sample.exams import totals
from assess_assets.sample.outcomes import Outcome
from assess_assets.sample.published import FIRST_CORRECT, PINNED


def place(rng: random.Random, outcomes: Sequence[Outcome]) -> list[int]:
    """For each message in file order, the index of its attempt in `outcomes`."""
    messages_left: dict[int | None, list[int]] = {}
    for message, total in enumerate(totals()):
        messages_left.setdefault(total, []).append(message)
    attempts_left: dict[int | None, list[int]] = {}
    for attempt, outcome in enumerate(outcomes):
        total = None if outcome.exam.is_test else outcome.exam.questions
        attempts_left.setdefault(total, []).append(attempt)

    placed: dict[int, int] = {}
    for message in (*PINNED, *range(len(FIRST_CORRECT))):
        total = totals()[message]
        fitting = [a for a in attempts_left[total] if _may_be(message, outcomes[a])]
        placed[message] = rng.choice(fitting)
        attempts_left[total].remove(placed[message])
        messages_left[total].remove(message)
    for total, attempts in attempts_left.items():
        copies = [attempt for attempt in attempts for _ in range(outcomes[attempt].messages)]
        rng.shuffle(copies)
        placed.update(zip(messages_left[total], copies, strict=True))
    return [placed[message] for message in range(len(totals()))]


def _may_be(message: int, outcome: Outcome) -> bool:
    """Whether an attempt can be a message that is published on its own."""
    if outcome.repeated or outcome.is_blank:
        return False
    if message in PINNED:
        pin = PINNED[message]
        return outcome.exam.name == pin.exam_name and pin.correct in (None, outcome.correct)
    return outcome.correct == FIRST_CORRECT[message]
