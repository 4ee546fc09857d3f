"""Which question of an attempt got which result, and in which order the questions were shown.

Belongs here: an exam's form and question pool, results per question, shuffling that keeps the
published figures by position. Does not: how many results of each kind there are (`outcomes`).

Some questions of rare exams are *easy*: nobody gets them wrong. So are the questions that a pool
holds beyond its form, which a few full scores saw in place of a form's question. Together they make
the published 64 of 473. All other questions are *hard*: somebody got each of them wrong.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assess_assets.sample.apportion import apportion
from assess_assets.sample.exams import Exam
from assess_assets.sample.outcomes import Outcome
from assess_assets.sample.published import (
    DISTINCT_QUESTIONS,
    GIT_CORRECT_BY_POSITION,
    LEARNING_GIT,
    NEVER_WRONG_QUESTIONS,
    QUESTION_RESULTS,
)
from assess_assets.sample.records import (
    SEVERAL_CORRECT_SHARE,
    Form,
    Question,
    Result,
    make_question,
    random_uuid,
)

EXTRA_QUESTION_SHOWN = 3  # attempts that saw a question of the pool beyond the form

Shown = list[tuple[Question, Result]]


@dataclass(slots=True)
class Column:
    """One question of a form and how its results have come out so far."""

    question: Question
    is_easy: bool
    difficulty: float
    results: Counter[Result]
    wanted: dict[Result, int] | None  # where the results per question are published

    @property
    def was_wrong(self) -> bool:
        return bool(self.results["incorrect"] or self.results["missed_some"])


@dataclass(frozen=True, slots=True)
class AnsweredExam:
    form: Form
    shown: list[Shown]  # per outcome, in the order of the outcomes


def answer_exams(
    rng: random.Random, outcomes_by_exam: Sequence[Sequence[Outcome]]
) -> list[AnsweredExam]:
    """A form for each exam and, for each of its outcomes, the questions shown and their results."""
    exams = [outcomes[0].exam for outcomes in outcomes_by_exam]
    extras = _exams_with_a_pool(exams)
    easy = _easy_questions(outcomes_by_exam, NEVER_WRONG_QUESTIONS - len(extras))
    answered = []
    for outcomes, number in zip(outcomes_by_exam, easy, strict=True):
        exam = outcomes[0].exam
        columns = _columns(rng, outcomes, number)
        rows = _fill(rng, columns, outcomes)
        shown = [
            [(column.question, result) for column, result in zip(columns, row, strict=True)]
            for row in rows
        ]
        if exam.base_exam_id in extras:
            _show_extra_question(rng, shown, outcomes)
        for questions in shown:
            rng.shuffle(questions)
        _order(rng, exam, outcomes, shown)
        form = Form(
            exam.name, exam.base_exam_id, random_uuid(rng), tuple(c.question for c in columns)
        )
        answered.append(AnsweredExam(form, shown))
    return answered


def _exams_with_a_pool(exams: Sequence[Exam]) -> set[str]:
    """The largest exams, as many as there are more questions than all forms show, one for each."""
    plain = [e for e in exams if e.base_exam_id not in (LEARNING_GIT, *QUESTION_RESULTS)]
    beyond = DISTINCT_QUESTIONS - sum(exam.questions for exam in exams)
    return {exam.base_exam_id for exam in plain[:beyond]}


def _easy_questions(outcomes_by_exam: Sequence[Sequence[Outcome]], total: int) -> list[int]:
    """How many questions per form are never answered wrong: the rarer the exam, the more."""
    lows, highs, weights = [], [], []
    for outcomes in outcomes_by_exam:
        n = outcomes[0].exam.questions
        wrong = [outcome.incorrect + outcome.incomplete for outcome in outcomes]
        if len(outcomes) == 1:  # its unanswered questions were never answered right either
            wrong = [n - outcomes[0].correct]
        lows.append(max(0, n - sum(wrong)))
        highs.append(n - max(wrong))
        weights.append(highs[-1] / len(outcomes))
    return apportion(total, weights, lows, highs)


def _columns(rng: random.Random, outcomes: Sequence[Outcome], easy: int) -> list[Column]:
    """The exam's questions, easy ones first; Learning Git's all have one correct option of four."""
    exam = outcomes[0].exam
    is_git = exam.base_exam_id == LEARNING_GIT
    published = QUESTION_RESULTS.get(exam.base_exam_id)
    # Enough questions with several correct options for every incomplete result, and, where there
    # are too few incorrect results to make all hard questions hard, for incomplete ones to do it.
    several = max(outcome.incomplete for outcome in outcomes)
    if several:
        hard = exam.questions - easy
        several = max(several, hard - sum(outcome.incorrect for outcome in outcomes))
    columns = []
    for index in range(exam.questions):
        wanted: dict[Result, int] | None = None
        if published:
            correct, incorrect, incomplete = published[index]
            unanswered = exam.messages - correct - incorrect - incomplete
            wanted = {"incorrect": incorrect, "missed_some": incomplete, "unanswered": unanswered}
            has_several = incomplete > 0
        else:
            by_chance = rng.random() < SEVERAL_CORRECT_SHARE and not is_git
            has_several = by_chance or easy <= index < easy + several
        question = make_question(rng, several_correct=has_several, options=4 if is_git else None)
        columns.append(Column(question, index < easy, rng.uniform(0.3, 1.0), Counter(), wanted))
    return columns


def _fill(
    rng: random.Random, columns: Sequence[Column], outcomes: Sequence[Outcome]
) -> list[list[Result]]:
    """The results of each outcome, in the order of the columns."""
    rows: list[list[Result]] = [["correct"] * len(columns) for _ in outcomes]
    numbers: tuple[tuple[Result, list[int]], ...] = (
        ("missed_some", [outcome.incomplete for outcome in outcomes]),
        ("incorrect", [outcome.incorrect for outcome in outcomes]),
        ("unanswered", [outcome.unanswered for outcome in outcomes]),
    )
    if columns[0].wanted:  # the rarest first, so that published results fit
        numbers = (numbers[0], numbers[2], numbers[1])
    for result, wanted in numbers:
        free = [
            [i for i, column in enumerate(columns) if _can(column, result, row[i])] for row in rows
        ]
        order = rng.sample(range(len(rows)), len(rows))
        for n in sorted(order, key=lambda n: (-wanted[n], len(free[n]))):
            chosen = sorted(free[n], key=lambda i: _preference(rng, columns[i], result))
            if len(chosen) < wanted[n]:
                raise ValueError(f"{outcomes[n].exam.name}: no question left to be {result}")
            for i in chosen[: wanted[n]]:
                rows[n][i] = result
                columns[i].results[result] += 1
    for column in columns:
        if column.wanted and any(
            column.results[result] != n for result, n in column.wanted.items()
        ):
            raise ValueError(f"{outcomes[0].exam.name}: results per question do not come out")
    return rows


def _can(column: Column, result: Result, present: Result) -> bool:
    if present != "correct" or (
        result == "missed_some" and not column.question.has_several_correct
    ):
        return False
    return result == "unanswered" or not column.is_easy


def _preference(rng: random.Random, column: Column, result: Result) -> tuple[float, ...]:
    """Smaller is sooner: what is published, else hard questions that nobody got wrong yet."""
    if column.wanted:
        return (column.results[result] - column.wanted[result], rng.random())
    chance = -(rng.random() ** (1 / column.difficulty))
    if result == "unanswered":
        return (column.is_easy, column.results[result] if column.is_easy else chance)
    return (column.was_wrong, column.question.has_several_correct and not column.was_wrong, chance)


def _show_extra_question(
    rng: random.Random, shown: list[Shown], outcomes: Sequence[Outcome]
) -> None:
    full = [
        index
        for index, outcome in enumerate(outcomes)
        if outcome.correct == outcome.exam.questions and not outcome.repeated
    ]
    extra = make_question(rng, several_correct=False)
    for index in rng.sample(full, EXTRA_QUESTION_SHOWN):
        shown[index][rng.randrange(len(shown[index]))] = (extra, "correct")


def _order(rng: random.Random, exam: Exam, outcomes: Sequence[Outcome], shown: list[Shown]) -> None:
    """Swap questions until as many are correct by position as published."""
    if exam.base_exam_id != LEARNING_GIT:
        if exam.first_correct is not None:
            _swap_to(rng, shown, {0: exam.first_correct})
        return
    # Published for attempts (266 first questions correct) and for messages (270): both hold if the
    # surplus four messages of the repeated attempts have theirs correct.
    wanted = Counter(dict(enumerate(GIT_CORRECT_BY_POSITION)))
    for outcome, questions in zip(outcomes, shown, strict=True):
        if outcome.repeated:
            questions.sort(key=lambda pair: pair[1] != "correct")
            for position, (_, result) in enumerate(questions):
                wanted[position] -= outcome.messages * (result == "correct")
    single = [q for outcome, q in zip(outcomes, shown, strict=True) if not outcome.repeated]
    _swap_to(rng, single, wanted)


def _swap_to(rng: random.Random, shown: list[Shown], wanted: Mapping[int, int]) -> None:
    """Make `wanted` of the questions at each position correct, from the first position on."""
    for position, number in sorted(wanted.items()):
        surplus = sum(questions[position][1] == "correct" for questions in shown) - number
        swaps: list[tuple[Shown, list[int]]] = []
        for questions in shown:
            is_correct = questions[position][1] == "correct"
            later = [
                other
                for other in range(position + 1, len(questions))
                if (questions[other][1] == "correct") != is_correct
            ]
            if is_correct == (surplus > 0) and later:
                swaps.append((questions, later))
        for questions, later in rng.sample(swaps, abs(surplus)):
            other = rng.choice(later)
            questions[position], questions[other] = (questions[other], questions[position])
