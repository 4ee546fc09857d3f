"""How many questions of each attempt are correct, so that the published scores come out exactly.

Belongs here: for each exam a histogram of attempts by correct answers, calibrated to the sums of
`published`. Does not: wrong answers, and which message is which attempt. The seed plays no part.

An exam starts from a beta-binomial histogram with its number of full scores and of zeros, moved to
its sum. Then *bends* do the rest: a bend takes two attempts with c correct answers and makes one of
them c - 1 and the other c + 1 (or back). It keeps an exam's sum and raises the sum of c squared by
two, so it moves the standard deviation by a known amount, and only where c is next to the passing
limit does it change how many pass. First the number of passing attempts is bent into place, then
the standard deviation, length by length of exam: after the seven-question exams what is missing is
a multiple of 49 units, after six a multiple of 9 too, and so on, until four questions end at zero.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

from assess_assets.sample.apportion import apportion
from assess_assets.sample.exams import Exam, exams
from assess_assets.sample.published import ALL_CORRECT, PASSING_ATTEMPTS, SCORE_STDDEV

# The spread of real scores: beta-binomial with alpha + beta = this; chosen to need few bends.
CONCENTRATION = 3.0
# A unit in which every squared score c²/n² of the exams' lengths n is a whole number.
UNIT = math.lcm(*(n * n for n in (1, 2, 3, 4, 5, 6, 7, 8, 10, 20)))
# After bends of exams with n questions the distance is a multiple of that; 0: none is left.
DIVISIBLE_AFTER = ((7, 49), (6, 9), (5, 25), (8, 64), (4, 0))


@dataclass
class Histogram:
    """How many attempts, repeated ones aside, have 0, 1, 2... correct answers."""

    exam: Exam
    attempts: list[int]

    def passes(self, correct: int) -> bool:
        return 10 * correct > 7 * self.exam.questions

    def passing(self) -> int:
        return sum(n for correct, n in enumerate(self.attempts) if self.passes(correct))

    def bend(self, correct: int, outwards: bool) -> bool:
        """One bend, if there are two such attempts and no published figure forbids it."""
        step = 1 if outwards else -1
        low, high = correct - 1, correct + 1
        zeros_are_fixed = self.exam.all_incorrect is not None
        if low < (1 if zeros_are_fixed else 0) or high >= self.exam.questions:
            return False
        changes = ((low, step), (correct, -2 * step), (high, step))
        if any(self.attempts[cell] + change < 0 for cell, change in changes):
            return False
        for cell, change in changes:
            self.attempts[cell] += change
        return True

    def bend_neutrally(self, outwards: bool) -> bool:
        """The first possible bend that leaves the number of passing attempts alone."""
        return any(
            self.passes(correct - 1) == self.passes(correct + 1) and self.bend(correct, outwards)
            for correct in range(1, self.exam.questions)
        )


def score_histograms() -> dict[str, Histogram]:
    """The calibrated histogram of every exam but the test exam, by base exam id."""
    counted = [exam for exam in exams() if not exam.is_test]
    histograms = [
        _first_histogram(exam, full)
        for exam, full in zip(counted, _full_scores(counted), strict=True)
    ]
    _bend_to_passing(histograms)
    _bend_to_stddev(histograms)
    return {each.exam.base_exam_id: each for each in histograms}


def _beta_binomial(exam: Exam) -> list[float]:
    n = exam.questions
    alpha = CONCENTRATION * min(max(exam.correct / (n * exam.messages), 0.01), 0.99)
    beta = CONCENTRATION - alpha

    def log_beta(a: float, b: float) -> float:
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

    return [
        math.comb(n, c) * math.exp(log_beta(c + alpha, n - c + beta) - log_beta(alpha, beta))
        for c in range(n + 1)
    ]


def _full_scores(counted: list[Exam]) -> list[int]:
    """Messages with a full score per exam: published, or a share of what the published leave."""
    lows, highs, weights = [], [], []
    for exam in counted:
        n, rows = exam.questions, exam.messages
        if exam.all_correct is not None:
            low = high = exam.all_correct
        else:
            low = max(0, exam.correct - rows * (n - 1))
            high = exam.correct // n
            repeated = [r.messages for r in exam.repeated if r.correct == n]
            low = max(low, sum(repeated))
        lows.append(low)
        highs.append(high)
        weights.append(_beta_binomial(exam)[n] * rows)
    return apportion(ALL_CORRECT, weights, lows, highs)


def _first_histogram(exam: Exam, full_scores: int) -> Histogram:
    n = exam.questions
    repeated = exam.repeated
    total = exam.messages - sum(r.messages for r in repeated)
    correct = exam.correct - sum(r.messages * r.correct for r in repeated)
    full = full_scores - sum(r.messages for r in repeated if r.correct == n)
    zeros = exam.all_incorrect or 0
    expected = _beta_binomial(exam)
    lows = [0] * (n + 1)
    highs = [total] * (n + 1)
    lows[n] = highs[n] = full
    lows[0] = zeros
    if exam.all_incorrect is not None:
        highs[0] = zeros
    if n == 1:
        lows[0] = highs[0] = total - full
    cells = apportion(total, expected, lows, highs)
    missing = correct - sum(c * attempts for c, attempts in enumerate(cells))
    step = 1 if missing > 0 else -1
    while missing:
        inner = [c for c in range(1, n) if cells[c] and 0 < c + step < n]
        # Zeros beyond the published all-incorrect ones only where the sum leaves no other way.
        outer = [c for c in range(n) if cells[c] > lows[c] and 0 <= c + step < n]
        movable = inner or outer
        if not movable:
            raise ValueError(f"{exam.name}: no scores add up to {exam.correct}")
        best = max(
            movable, key=lambda c: cells[c] / expected[c] - cells[c + step] / expected[c + step]
        )
        cells[best] -= 1
        cells[best + step] += 1
        missing -= step
    return Histogram(exam, cells)


def _bend_to_passing(histograms: list[Histogram]) -> None:
    repeated = sum(each.passes(r.correct) for each in histograms for r in each.exam.repeated)
    missing = PASSING_ATTEMPTS - repeated - sum(each.passing() for each in histograms)
    while missing:
        before = missing
        for each in histograms:
            highest_failing = 7 * each.exam.questions // 10
            if missing and each.bend(highest_failing, outwards=missing > 0):
                missing += -1 if missing > 0 else 1
        if missing == before:
            raise ValueError(f"{missing} more attempts should pass")


def _bend_to_stddev(histograms: list[Histogram]) -> None:
    distance = _missing_squares(histograms)
    for n, divisor in DIVISIBLE_AFTER:
        of_length = [each for each in histograms if each.exam.questions == n]
        step = 2 * UNIT // (n * n)
        while not _is_settled(distance, divisor):
            before = distance
            outwards = distance > 0
            for each in of_length:
                if not _is_settled(distance, divisor) and each.bend_neutrally(outwards):
                    distance -= step if outwards else -step
            if distance == before:
                raise ValueError(f"squared scores are {distance} units short")


def _is_settled(distance: int, divisor: int) -> bool:
    return distance % divisor == 0 if divisor else distance == 0


def _missing_squares(histograms: list[Histogram]) -> int:
    """The sum of squared scores that gives the published deviation, less the present one."""
    rows = sum(each.exam.messages for each in histograms)
    mean = sum(Fraction(e.exam.correct, e.exam.questions) for e in histograms) / rows
    wanted = Fraction(SCORE_STDDEV) ** 2 * (rows - 1) + rows * mean**2
    present = Fraction(0)
    for each in histograms:
        squares = sum(c * c * attempts for c, attempts in enumerate(each.attempts))
        squares += sum(r.messages * r.correct**2 for r in each.exam.repeated)
        present += Fraction(squares, each.exam.questions**2)
    return round((wanted - present) * UNIT)
