"""Messages in the exact shape of the genuine ones, for the sample, tests and load generators.

Belongs here: what a form, an answered question and a message look like, key for key and in order.
Does not: any published figure, any plan of who answered what, any file.

`attempt` renders one plausible attempt of a form; the other functions are its parts. Whatever is
random comes from the generator that is passed in. Moments are milliseconds since 1970, UTC.
"""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
Result: TypeAlias = Literal["correct", "incorrect", "missed_some", "unanswered"]

RESULTS: Final[tuple[Result, ...]] = ("correct", "incorrect", "missed_some", "unanswered")
RESULT_WEIGHTS: Final = (63, 22, 9, 6)  # of an attempt made up by `attempt`
OPTION_COUNTS: Final = (2, 3, 4, 6)
ONE_CORRECT_WEIGHTS: Final = (3, 33, 24, 0)
SEVERAL_CORRECT_WEIGHTS: Final = (0, 0, 27, 9)
SEVERAL_CORRECT_SHARE: Final = 0.25
HESITATION: Final = 0.12  # how often a wrong option of an answered question is ticked and unticked


@dataclass(frozen=True, slots=True)
class Question:
    id: str
    option_ids: tuple[str, ...]
    correct_ids: frozenset[str]

    @property
    def has_several_correct(self) -> bool:
        """Only such a question can be answered incompletely (`missed_some`)."""
        return len(self.correct_ids) > 1


@dataclass(frozen=True, slots=True)
class Form:
    """The questions of one base exam id."""

    exam_name: str
    base_exam_id: str
    sequences_id: str
    questions: tuple[Question, ...]


def random_uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def make_question(
    rng: random.Random, *, several_correct: bool, options: int | None = None
) -> Question:
    if options is None:
        weights = SEVERAL_CORRECT_WEIGHTS if several_correct else ONE_CORRECT_WEIGHTS
        options = rng.choices(OPTION_COUNTS, weights)[0]
    ids = tuple(random_uuid(rng) for _ in range(options))
    correct = options // 2 if several_correct else 1
    return Question(random_uuid(rng), ids, frozenset(ids[:correct]))


def make_form(
    rng: random.Random, exam_name: str, questions: int, base_exam_id: str | None = None
) -> Form:
    """A form of made-up questions."""
    return Form(
        exam_name,
        base_exam_id or random_uuid(rng),
        random_uuid(rng),
        tuple(
            make_question(rng, several_correct=rng.random() < SEVERAL_CORRECT_SHARE)
            for _ in range(questions)
        ),
    )


def attempt(
    rng: random.Random, form: Form, started_at: int, *, user_exam_id: str | None = None
) -> JsonObject:
    """One attempt, shuffled and answered at random, started at that millisecond."""
    questions = []
    for question in rng.sample(form.questions, len(form.questions)):
        result = rng.choices(RESULTS, RESULT_WEIGHTS)[0]
        if result == "missed_some" and not question.has_several_correct:
            result = "incorrect"
        questions.append(answered(rng, question, result))
    first = started_at + rng.randint(2_000, 600_000)
    last = first + rng.randint(1_000, 120_000) if len(ticks(questions)) > 1 else first
    stamp(rng, questions, first, last)
    timestamp = keen_timestamp(rng, last + rng.randint(500, 4_000))
    return message(
        form,
        questions,
        started_at=started_at,
        timestamp=timestamp,
        keen_id=keen_id(rng, timestamp),
        user_exam_id=user_exam_id or random_uuid(rng),
    )


def answered(rng: random.Random, question: Question, result: Result) -> JsonObject:
    """A question with its options shuffled and ticked to that result; `at` is left to `stamp`."""
    checked = _checked(rng, question, result)
    wrong = [i for i in question.option_ids if i not in question.correct_ids and i not in checked]
    unticked = rng.choice(wrong) if checked and wrong and rng.random() < HESITATION else None
    options: list[JsonObject] = []
    for option_id in rng.sample(question.option_ids, len(question.option_ids)):
        option: JsonObject = {"checked": option_id in checked}
        is_correct = option_id in question.correct_ids
        if option_id in checked:
            option |= {"at": "", "id": option_id, "submitted": 1}
            if is_correct:
                option["correct"] = True
        elif option_id == unticked:
            option |= {"at": "", "id": option_id}
        elif is_correct:
            option |= {"correct": True, "id": option_id}
        else:
            option["id"] = option_id
        options.append(option)
    return {
        "user_incomplete": result == "missed_some",
        "user_correct": result == "correct",
        "options": options,
        "user_submitted": result != "unanswered",
        "id": question.id,
        "user_result": result,
    }


def _checked(rng: random.Random, question: Question, result: Result) -> set[str]:
    correct = [i for i in question.option_ids if i in question.correct_ids]
    wrong = [i for i in question.option_ids if i not in question.correct_ids]
    if result == "unanswered":
        return set()
    if result == "correct":
        return set(correct)
    if result == "missed_some":
        return set(rng.sample(correct, rng.randint(1, len(correct) - 1)))
    if not question.has_several_correct:
        return {rng.choice(wrong)}
    return {rng.choice(wrong), *rng.sample(correct, rng.randint(0, len(correct) - 1))}


def ticks(questions: Sequence[JsonObject]) -> list[JsonObject]:
    """The options that were touched, in the order in which the questions are shown."""
    return [option for question in questions for option in question["options"] if "at" in option]


def stamp(rng: random.Random, questions: Sequence[JsonObject], first: int, last: int) -> None:
    """Date every tick: the earliest at `first`, the latest at `last`, the rest in between."""
    touched = ticks(questions)
    between = sorted(rng.randint(first, last) for _ in range(len(touched) - 2))
    for option, moment in zip(touched, [first, *between, last], strict=False):
        option["at"] = iso(moment)


def iso(moment: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=moment)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def keen_timestamp(rng: random.Random, moment: int) -> str:
    """Seconds as Keen wrote them: the shortest text of a double, with five to seven decimals."""
    while True:
        text = repr((moment + rng.random()) / 1000)
        if len(text.partition(".")[2]) >= 5:
            return text


def keen_id(rng: random.Random, timestamp: str) -> str:
    """An object id: the timestamp's seconds, a machine, a process, a counter, in hexadecimal."""
    return f"{int(float(timestamp)):08x}{rng.getrandbits(24):06x}0001{rng.getrandbits(24):06x}"


def message(
    form: Form,
    questions: Sequence[JsonObject],
    *,
    started_at: int,
    timestamp: str,
    keen_id: str,
    user_exam_id: str,
    certification: str | None = "false",
    with_counts: bool = True,
) -> JsonObject:
    """The whole message; `questions` as `answered` renders and `stamp` dates them."""
    sequences: JsonObject = {"questions": list(questions), "attempt": 1, "id": form.sequences_id}
    if with_counts:
        sequences["counts"] = counts(questions)
    return {
        "keen_timestamp": timestamp,
        "max_attempts": "1.0",
        "started_at": iso(started_at),
        "base_exam_id": form.base_exam_id,
        "user_exam_id": user_exam_id,
        "sequences": sequences,
        "keen_created_at": timestamp,
        "certification": certification,
        "keen_id": keen_id,
        "exam_name": form.exam_name,
    }


def counts(questions: Sequence[JsonObject]) -> JsonObject:
    results = [question["user_result"] for question in questions]
    return {
        "incomplete": results.count("missed_some"),
        "submitted": len(results) - results.count("unanswered"),
        "incorrect": results.count("incorrect"),
        "all_correct": results.count("correct") == len(results),
        "correct": results.count("correct"),
        "total": len(results),
        "unanswered": results.count("unanswered"),
    }
