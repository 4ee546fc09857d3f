"""Answers about scores: averages in both countings and both ways, all correct, certification."""

from collections.abc import Callable, Mapping
from math import sqrt
from typing import TypeAlias

from assess_assets.transforms.answers.answer import EVERYTHING, SCORED, Answer, Section, Value
from assess_assets.transforms.answers.breakdowns import Counted
from assess_assets.transforms.answers.figures import Figures
from assess_assets.transforms.answers.sums import PASSING_SCORE
from assess_assets.transforms.answers.tabular import (
    counted,
    counted_fields,
    numbered,
    percent,
    share,
)

# A figure from the sums of one counting.
Measure: TypeAlias = Callable[[Mapping[str, float]], Value]


def about_scores(figures: Figures) -> Section:
    breakdowns = figures.breakdowns
    return Section(
        "scores",
        "Scores",
        (
            *_averages(figures),
            *_successes(figures),
            Answer(
                "distribution",
                "How are scores distributed?",
                "Attempts by the tenth of their score; 100 % is a class of its own, and has the "
                "scores above it too, of messages that report more correct questions than "
                "questions in all.",
                fields=counted_fields("Score"),
                rows=counted(score_classes(breakdowns["tenth"])),
            ),
            Answer(
                "certification",
                "How many attempts count towards a certification?",
                "Attempts by what the message's certification says.",
                fields=counted_fields("Certification"),
                rows=counted(breakdowns["certification"]),
            ),
            Answer(
                "lengths",
                "How many questions does an attempt have?",
                "Attempts by the number of questions that their counts report.",
                fields=counted_fields("Questions"),
                rows=counted(numbered(breakdowns["length"])),
            ),
            Answer(
                "mismatch",
                "Do summary and detail agree?",
                "Attempts by mismatch: none; no_counts (the message has no counts); counts "
                "(reported counts differ from the questions' results); options (a result differs "
                "from what its options say); counts_and_options.",
                fields=counted_fields("Mismatch"),
                rows=counted(breakdowns["mismatch"]),
            ),
        ),
    )


def _averages(figures: Figures) -> tuple[Answer, ...]:
    return (
        _both(
            figures,
            "scored",
            "How many attempts have a score?",
            "Attempts with reported counts, of at least one question.",
            EVERYTHING,
            "attempts",
            _count("scored"),
        ),
        _both(
            figures,
            "average_score",
            "What is the average share of correct answers?",
            "Mean of the scores; a score is reported correct questions / questions.",
            SCORED,
            "percent",
            _share("score", "scored"),
        ),
        _both(
            figures,
            "ratio_of_sums",
            "What share of all questions was answered correctly?",
            "Sum of reported correct questions / sum of questions: long attempts weigh more.",
            SCORED,
            "percent",
            _share("correct", "total"),
        ),
        _both(
            figures,
            "score_stddev",
            "How far do scores spread?",
            "Sample standard deviation of the scores, in percentage points.",
            SCORED,
            "points",
            spread,
        ),
        _both(
            figures,
            "questions_correct",
            "How many questions were answered correctly?",
            "Sum of reported correct questions.",
            SCORED,
            "questions",
            _count("correct"),
        ),
        _both(
            figures,
            "questions_total",
            "How many questions were there?",
            "Sum of reported questions.",
            SCORED,
            "questions",
            _count("total"),
        ),
    )


def _successes(figures: Figures) -> tuple[Answer, ...]:
    all_correct = "Attempts whose reported all_correct is true"
    above = f"Attempts with a score above {PASSING_SCORE:.2f}"
    return (
        _both(
            figures,
            "all_correct",
            "How many attempts have everything correct?",
            f"{all_correct}.",
            EVERYTHING,
            "attempts",
            _count("all_correct"),
        ),
        _both(
            figures,
            "all_correct_share",
            "What share of attempts has everything correct?",
            f"{all_correct}, among those with a score / attempts with a score.",
            SCORED,
            "percent",
            _share("scored_all_correct", "scored"),
        ),
        _both(
            figures,
            "passing",
            "How many attempts are passing?",
            f"{above}.",
            EVERYTHING,
            "attempts",
            _count("passing"),
        ),
        _both(
            figures,
            "passing_share",
            "What share of attempts is passing?",
            f"{above} / all attempts, with or without a score.",
            EVERYTHING,
            "percent",
            _share("passing", "attempts"),
        ),
    )


def _both(
    figures: Figures,
    name: str,
    question: str,
    definition: str,
    only: str,
    unit: str,
    measure: Measure,
) -> Answer:
    whole = figures.attempts.whole
    by_message, by_attempt = measure(whole.by_message), measure(whole.by_attempt)
    return Answer(name, question, definition, only, unit, by_message, by_attempt)


def _count(name: str) -> Measure:
    return lambda of: of[name]


def _share(part: str, whole: str) -> Measure:
    return lambda of: share(of[part], of[whole])


def spread(of: Mapping[str, float]) -> Value:
    """None below two scores."""
    if of["scored"] < 2:
        return None
    return percent(sqrt(of["score_deviations"] / (of["scored"] - 1)))


def score_classes(tenths: list[Counted]) -> list[Counted]:
    """Every class from 0 to 100 %, also those without attempts; unscored ones last."""
    found = {each.label: each for each in tenths}
    if not found:
        return []
    names = {f"{tenth:02}": f"{tenth}0 to {tenth}9 %" for tenth in range(1, 10)}
    names = {"00": "0 to 9 %", **names, "10": "100 %", "none": "no score"}
    missing = Counted("", 0, 0)
    return [
        Counted(name, found.get(label, missing).messages, found.get(label, missing).attempts)
        for label, name in names.items()
    ]
