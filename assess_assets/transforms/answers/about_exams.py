"""Answers about exams: how many there are, which are popular, and one that was asked for."""

from typing import Any

from assess_assets.transforms.answers.answer import (
    EVERYTHING,
    NO_TEST,
    SCORED,
    Answer,
    Field,
    Section,
)
from assess_assets.transforms.answers.figures import Figures
from assess_assets.transforms.answers.tabular import share

SHOWN = 10
_EXAM = (
    Field("rank", "Rank"),
    Field("exam", "Exam"),
    Field("messages", "Messages"),
    Field("attempts", "Attempts"),
)


def about_exams(figures: Figures) -> Section:
    totals, sums = figures.totals, figures.attempts.whole
    names = totals["names"]
    popular = [_popularity(exam) for exam in figures.exams]
    return Section(
        "exams",
        "Exams",
        (
            _number("exam_names", "How many exam names are there?", EVERYTHING, names),
            _number(
                "exam_names_without_test",
                "How many exam names without test data?",
                NO_TEST,
                totals["real_names"],
            ),
            _number("base_exam_ids", "How many base exam ids?", EVERYTHING, totals["forms"]),
            _number(
                "base_exam_ids_without_test",
                "How many base exam ids without test data?",
                NO_TEST,
                totals["real_forms"],
            ),
            Answer(
                "attempts_per_exam",
                "How often was an exam taken, on average?",
                "Messages, or attempts, / exam names.",
                unit="attempts",
                by_message=sums.by_message["attempts"] / names if names else None,
                by_attempt=sums.by_attempt["attempts"] / names if names else None,
            ),
            Answer(
                "most_popular",
                "Which exams are the most popular?",
                f"The {SHOWN} exam names with the most messages; ties share a rank and are in "
                "alphabetical order.",
                fields=_EXAM,
                rows=tuple(popular[:SHOWN]),
            ),
            Answer(
                "least_popular",
                "Which exams are the least popular?",
                f"The {SHOWN} exam names with the fewest messages, the fewest first.",
                fields=_EXAM,
                rows=tuple(sorted(popular, key=lambda row: (row["messages"], row["exam"]))[:SHOWN]),
            ),
            Answer(
                "shared_names",
                "Which exam names have more than one base exam id?",
                "Exam names taken under several base exam ids, with each of them: what was taken "
                "of it under that name.",
                figures.shared_names.told("rows", "assessments") or EVERYTHING,
                fields=(
                    Field("exam_name", "Exam"),
                    Field("base_exam_id", "Base exam id", "id"),
                    Field("messages", "Messages"),
                    Field("attempts", "Attempts"),
                ),
                rows=tuple(figures.shared_names.rows),
            ),
        ),
    )


def about_one_exam(figures: Figures) -> Section:
    """The exam that was asked for; without one, the most popular that is not test data."""
    exam, sums = figures.exam, figures.attempts.chosen
    by_message, by_attempt = sums.by_message, sums.by_attempt
    only = f"Only the exam “{exam}”." if exam else "There is no exam."
    return Section(
        "one_exam",
        f"One exam: {exam}" if exam else "One exam",
        (
            Answer(
                "exam_taken",
                f"How many took {exam}?" if exam else "How many took it?",
                "By attempt: sittings of the exam (takers are not identified beyond a sitting). "
                "By message: their messages, identical copies included.",
                only,
                "attempts",
                by_message["attempts"],
                by_attempt["attempts"],
            ),
            Answer(
                "exam_share_correct",
                "What share of its questions was answered correctly?",
                "Sum of reported correct questions / sum of questions.",
                f"{only} {SCORED}",
                "percent",
                share(by_message["correct"], by_message["total"]),
                share(by_attempt["correct"], by_attempt["total"]),
            ),
            Answer(
                "exam_average_score",
                "What is the average share of correct answers?",
                "Mean of its attempts' scores.",
                f"{only} {SCORED}",
                "percent",
                share(by_message["score"], by_message["scored"]),
                share(by_attempt["score"], by_attempt["scored"]),
            ),
            Answer(
                "exam_all_correct",
                "How many of them answered everything correctly?",
                "Attempts whose reported all_correct is true.",
                only,
                "attempts",
                by_message["all_correct"],
                by_attempt["all_correct"],
            ),
            Answer(
                "exam_positions",
                "How often was its first, second, ... question answered correctly?",
                "Result correct of the question shown in that place. The order of questions "
                "differs between attempts.",
                f"{only} {figures.positions.told('places', 'questions')}".rstrip(),
                fields=(
                    Field("number", "Shown as number"),
                    Field("correct_messages", "Correct, messages"),
                    Field("messages", "of messages"),
                    Field("correct_attempts", "Correct, attempts"),
                    Field("attempts", "of attempts"),
                ),
                rows=tuple(
                    {
                        "number": row["position"] + 1,
                        "correct_messages": row["correct_messages"],
                        "messages": row["messages"],
                        "correct_attempts": row["correct_attempts"],
                        "attempts": row["attempts"],
                    }
                    for row in figures.positions.rows
                ),
            ),
        ),
    )


def _popularity(exam: dict[str, Any]) -> dict[str, Any]:
    return {
        "rank": exam["popularity_rank"],
        "exam": exam["exam_name"],
        "messages": exam["messages"],
        "attempts": exam["attempts"],
    }


def _number(name: str, question: str, only: str, number: int) -> Answer:
    what = "exam_name" if "names" in name else "base_exam_id"
    return Answer(name, question, f"Distinct {what} of attempts.", only, "exams", number, number)
