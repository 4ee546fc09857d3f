"""What each attempt answered: how many questions correct, incorrect, incomplete and unanswered.

Belongs here: splitting the questions that are not correct, by the published numbers of incomplete
and unanswered ones. Does not: which question it was, or which message. The seed plays no part.

The numbers of incomplete questions are published as messages per (questions, incomplete); they are
dealt out from high to low, each to the exam that has most left per attempt that can still take one.
Attempts that are published as all incorrect take none. Ten attempts answer nothing at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from assess_assets.sample.apportion import apportion
from assess_assets.sample.exams import Exam, Repeated, exams
from assess_assets.sample.published import ATTEMPTS_WITHOUT_ANSWERS, INCOMPLETE
from assess_assets.sample.scores import score_histograms

# Of questions neither correct nor incomplete, the share left unanswered where nothing is published.
UNANSWERED_SHARE = 0.15
TEST_CORRECT = (3, 2, 1, 3, 0)  # of three questions; nothing is published about the test attempts


@dataclass(slots=True)
class Outcome:
    """One attempt's results, and whether the file repeats it."""

    exam: Exam
    correct: int
    incomplete: int = 0
    unanswered: int = 0
    repeated: Repeated | None = None
    all_incorrect: bool = False  # one of those published as such: nothing incomplete or unanswered

    @property
    def incorrect(self) -> int:
        return self.exam.questions - self.correct - self.incomplete - self.unanswered

    @property
    def messages(self) -> int:
        return self.repeated.messages if self.repeated else 1

    @property
    def is_blank(self) -> bool:
        return self.unanswered == self.exam.questions

    @property
    def is_open(self) -> bool:
        """Whether its incorrect questions may still become incomplete or unanswered."""
        return self.incorrect > 0 and not (self.all_incorrect or self.repeated)


def plan_outcomes() -> list[list[Outcome]]:
    """For each of the 107 exams, one outcome per attempt; 3242 in all."""
    by_exam = {
        base_exam_id: [
            *_single(histogram.exam, histogram.attempts),
            *(Outcome(histogram.exam, r.correct, repeated=r) for r in histogram.exam.repeated),
        ]
        for base_exam_id, histogram in score_histograms().items()
    }
    _leave_blank(by_exam)
    _make_incomplete(by_exam)
    _leave_unanswered(by_exam)
    test_exam = next(exam for exam in exams() if exam.is_test)
    return [*by_exam.values(), [Outcome(test_exam, correct) for correct in TEST_CORRECT]]


def _single(exam: Exam, attempts: list[int]) -> Iterator[Outcome]:
    for correct, number in enumerate(attempts):
        for index in range(number):
            yield Outcome(
                exam, correct, all_incorrect=correct == 0 and index < (exam.all_incorrect or 0)
            )


def _leave_blank(by_exam: dict[str, list[Outcome]]) -> None:
    """One attempt in each of the largest exams whose published figures have room for it.

    Before them comes an exam of one question that is published as left unanswered once.
    """
    left = ATTEMPTS_WITHOUT_ANSWERS
    for outcomes in sorted(by_exam.values(), key=lambda group: group[0].exam.questions > 1):
        exam = outcomes[0].exam
        if exam.unanswered is None:
            possible = exam.questions > 1
        else:
            possible = exam.unanswered >= exam.questions
        blank = next((o for o in outcomes if not o.correct and o.is_open), None)
        if left and possible and exam.all_incorrect is None and blank:
            blank.unanswered = exam.questions
            left -= 1


def _make_incomplete(by_exam: dict[str, list[Outcome]]) -> None:
    for questions, values in INCOMPLETE.items():
        groups = [
            [o for o in outcomes if o.is_open]
            for outcomes in by_exam.values()
            if outcomes[0].exam.questions == questions
        ]
        groups = [group for group in groups if group]
        left = _incomplete_by_exam(groups, sum(m * rows for m, rows in values.items()))
        for value in sorted(values, reverse=True):
            for _ in range(values[value]):
                fitting = [
                    index
                    for index, group in enumerate(groups)
                    if left[index] >= value and _fitting(group, value)
                ]
                index = max(fitting, key=lambda i: left[i] / len(groups[i]))
                fits = _fitting(groups[index], value)
                outcome = fits[len(fits) // 2]
                outcome.incomplete = value
                groups[index].remove(outcome)
                left[index] -= value


def _incomplete_by_exam(groups: list[list[Outcome]], total: int) -> list[int]:
    """Incomplete questions per exam: published, or a share of what the published ones leave."""
    lows, highs, weights = [], [], []
    for group in groups:
        exam = group[0].exam
        wrong = sum(outcome.incorrect for outcome in group) - (exam.unanswered or 0)
        if exam.incomplete is not None:
            low = high = exam.incomplete
        else:
            # A zero beyond the published all-incorrect ones cannot be incorrect throughout.
            low = sum(not o.correct for o in group) if exam.all_incorrect is not None else 0
            high = min(wrong, len(group))
        lows.append(low)
        highs.append(high)
        weights.append(wrong)
    return apportion(total, weights, lows, highs)


def _fitting(group: list[Outcome], value: int) -> list[Outcome]:
    return [outcome for outcome in group if outcome.incorrect >= value]


def _leave_unanswered(by_exam: dict[str, list[Outcome]]) -> None:
    """The published number per exam, or a share; half of what an attempt has left at a time."""
    for outcomes in by_exam.values():
        exam = outcomes[0].exam
        group = [o for o in outcomes if _may_leave(o)]
        if exam.unanswered is None:
            left = round(UNANSWERED_SHARE * sum(o.incorrect for o in group))
        else:
            left = exam.unanswered - sum(o.unanswered for o in outcomes)
        while left:
            group = sorted((o for o in group if _may_leave(o)), key=lambda o: -o.incorrect)
            if not group:
                raise ValueError(f"{exam.name}: {left} unanswered questions too many")
            for outcome in group:
                leaves = min(left, max(1, _may_leave(outcome) // 2))
                outcome.unanswered += leaves
                left -= leaves


def _may_leave(outcome: Outcome) -> int:
    """How many more questions it may leave unanswered without becoming blank."""
    if not outcome.is_open:
        return 0
    return outcome.incorrect - (0 if outcome.correct or outcome.incomplete else 1)
