"""The synthetic sample: 3280 messages in one JSON array, as the real file was published.

Belongs here: putting the plan together and writing it. Does not: any figure (`published`), any
choice (`scores`, `outcomes`, `answers`, `placement`, `times`), any key of a message (`records`).

**It is synthetic.** Names and ids of exams, ids of the twenty repeated attempts and three Keen ids
are published facts; every other id, time and answer is made up. A seed decides all of those; what
is published comes out the same for every seed.

Reproduced exactly:

* 3280 messages, 3242 attempts, 103 names, 107 base exam ids; the number of questions of every
  message in file order; the first ten scores, Keen id and exam of messages 99, 3278 and 3279; the
  five test messages without counts; certifications; the twenty repeated attempts;
* per exam: messages, attempts, sums of correct, incomplete and unanswered questions, full scores,
  wholly incorrect attempts, first and last date, how often the first question was correct;
* mean and standard deviation of the score, 841 and 827 full scores, 1620 passing attempts, messages
  by questions and incomplete ones, 14,717 questions shown;
* 473 different questions, 64 of them never wrong; results per question of React.js and Advanced
  Machine Learning; Learning Git by position, and its third question's correct option;
* first and last start, messages per hour, the five busiest dates, both mean durations.

Not reproduced, because published figures contradict each other:

* *An Introduction to Set Theory: two wholly incorrect attempts.* Five attempts at two questions,
  six correct and two full scores leave one attempt without a correct answer.
* *Nine exams of which at least half of the takers have a full score.* The published full scores
  per exam already make that twelve.
* *433 questions on forms.* That is one form per name; the 107 forms show 462. The pools of 473 are
  therefore 11 questions larger than the forms, not 40.
* *All incorrect* is read as `incorrect = total`. Read as `correct = 0`, four full scores and three
  such attempts in Being a Better Introvert would contradict its sum of correct questions.

Not attempted: the file's size (9.31 MB, here 8.8), the leaves of each of the first 99 messages
(their sum is within a few percent), sizes as Parquet, the genuine records beyond their ids.
"""

import json
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assess_assets.sample.answers import AnsweredExam, answer_exams
from assess_assets.sample.outcomes import Outcome, plan_outcomes
from assess_assets.sample.placement import place
from assess_assets.sample.published import (
    GIT_THIRD_QUESTION_CORRECT_OPTION,
    LEARNING_GIT,
    NULL_CERTIFICATIONS,
    PINNED,
)
from assess_assets.sample.records import (
    JsonObject,
    answered,
    keen_id,
    keen_timestamp,
    message,
    random_uuid,
    stamp,
    ticks,
)
from assess_assets.sample.times import plan_sittings

DEFAULT_SEED: Final = 20180128


@dataclass(frozen=True, slots=True)
class SampleSummary:
    """What was written."""

    path: Path
    seed: int
    messages: int
    attempts: int
    size_bytes: int


def write_sample(path: Path, seed: int = DEFAULT_SEED) -> SampleSummary:
    """Write the sample as one compact JSON array, the same bytes for the same seed."""
    records = sample_records(seed)
    content = json.dumps(records, ensure_ascii=False, separators=(",", ":")).encode()
    path.write_bytes(content)
    attempts = len({record["user_exam_id"] for record in records})
    return SampleSummary(path, seed, len(records), attempts, len(content))


def sample_records(seed: int = DEFAULT_SEED) -> list[JsonObject]:
    """The messages in file order. Copies of a repeated attempt are one and the same object."""
    by_exam = plan_outcomes()
    outcomes = [outcome for group in by_exam for outcome in group]
    answered_exams = answer_exams(_generator(seed, "answers"), by_exam)
    placed = place(_generator(seed, "placement"), outcomes)
    attempts = _attempts(seed, outcomes, answered_exams, placed)
    return [attempts[attempt] for attempt in placed]


def _generator(seed: int, purpose: str) -> random.Random:
    """A generator of its own for each step, so that none depends on how much another draws."""
    return random.Random(f"{seed}/{purpose}")


def _attempts(
    seed: int, outcomes: list[Outcome], exams: list[AnsweredExam], placed: list[int]
) -> list[JsonObject]:
    """The message of each attempt, in the order of the outcomes."""
    rng = _generator(seed, "rendering")
    forms = [exam.form for exam in exams for _ in exam.shown]
    questions = [
        [answered(rng, question, result) for question, result in shown]
        for exam in exams
        for shown in exam.shown
    ]
    _move_correct_options(rng, outcomes, questions)
    pins = {placed[index]: pin for index, pin in PINNED.items()}
    sittings = plan_sittings(
        _generator(seed, "times"),
        outcomes,
        [len(ticks(each)) for each in questions],
        {attempt: int(pin.keen_id[:8], 16) for attempt, pin in pins.items()},
    )
    single = [i for i, outcome in enumerate(outcomes) if not outcome.repeated]
    uncertified = set(rng.sample(single, NULL_CERTIFICATIONS))
    attempts = []
    for i, (outcome, sitting) in enumerate(zip(outcomes, sittings, strict=True)):
        stamp(rng, questions[i], sitting.first, sitting.last)
        timestamp = keen_timestamp(rng, sitting.recorded)
        pin = pins.get(i)
        if pin:
            timestamp = pin.keen_timestamp
        attempts.append(
            message(
                forms[i],
                questions[i],
                started_at=sitting.started,
                timestamp=timestamp,
                keen_id=pin.keen_id if pin else keen_id(rng, timestamp),
                user_exam_id=outcome.repeated.user_exam_id
                if outcome.repeated
                else random_uuid(rng),
                certification=None if i in uncertified else "false",
                with_counts=not outcome.exam.is_test,
            )
        )
    return attempts


def _move_correct_options(
    rng: random.Random, outcomes: list[Outcome], questions: list[list[JsonObject]]
) -> None:
    """Put the correct option of Learning Git's third question where it is published to be."""
    git = [i for i, outcome in enumerate(outcomes) if outcome.exam.base_exam_id == LEARNING_GIT]
    left = Counter(dict(enumerate(GIT_THIRD_QUESTION_CORRECT_OPTION)))
    position = {i: n for n, i in enumerate(i for i in git if outcomes[i].repeated)}
    for i, place_of_correct in position.items():
        left[place_of_correct] -= outcomes[i].messages
    places = list(left.elements())
    rng.shuffle(places)
    position |= dict(zip((i for i in git if i not in position), places, strict=True))
    for i, place_of_correct in position.items():
        options = questions[i][2]["options"]
        now = next(n for n, option in enumerate(options) if "correct" in option)
        options[now], options[place_of_correct] = (options[place_of_correct], options[now])
