"""Answers exam by exam: how each was done, which are the hardest, when each was last taken."""

from typing import Any

from assess_assets.transforms.answers.answer import EVERYTHING, SCORED, Answer, Field, Section
from assess_assets.transforms.answers.exam_figures import LEAST_EXAMS, MOST_EXAMS, ROUNDED
from assess_assets.transforms.answers.figures import Figures
from assess_assets.transforms.answers.hardest import HARDEST, Hardest
from assess_assets.transforms.answers.tabular import instant, percent


def about_performance(figures: Figures) -> Section:
    exams = figures.exams
    left_out = figures.totals["names"] - len(exams)
    shown, scored = EVERYTHING, SCORED
    if left_out:
        shown = (
            f"The {MOST_EXAMS} most and the {LEAST_EXAMS} least popular exams; {left_out} more "
            "are in the tables exam_counts and exam_performance."
        )
        scored = f"{SCORED} {shown}"
    return Section(
        "performance",
        "Exam by exam",
        (
            _hardest(figures.hardest_exams),
            Answer(
                "performance",
                "How well was each exam done?",
                "Averages per attempt of the questions that its message reports as correct, "
                "incorrect, incomplete and unanswered, rounded to 2; the mean score; attempts with "
                "everything correct. In parentheses by message, where it differs.",
                scored,
                fields=(
                    Field("exam", "Exam"),
                    Field("attempts", "Attempts", by_message="messages"),
                    *(
                        Field(f"average_{name}", name.capitalize(), "average", _twin(name))
                        for name in ROUNDED
                    ),
                    Field("average_score", "Mean score", "percent", "average_score_by_message"),
                    Field("all_correct", "All correct", by_message="all_correct_by_message"),
                ),
                rows=tuple(_performance(exam) for exam in exams),
            ),
            Answer(
                "last_taken",
                "When was each exam last taken?",
                "Latest and earliest started_at of its attempts, the most recent first.",
                shown,
                fields=(
                    Field("exam", "Exam"),
                    Field("last_taken_at", "Last taken", "time"),
                    Field("first_taken_at", "First taken", "time"),
                ),
                rows=tuple(
                    {
                        "exam": exam["exam_name"],
                        "last_taken_at": instant(exam["last_taken"]),
                        "first_taken_at": instant(exam["first_taken"]),
                    }
                    for exam in sorted(exams, key=lambda exam: -exam["last_taken"])
                ),
            ),
        ),
    )


def _twin(name: str) -> str:
    return f"average_{name}_by_message"


def _performance(exam: dict[str, Any]) -> dict[str, Any]:
    averages = [name for each in ROUNDED for name in (f"average_{each}", _twin(each))]
    return {
        "exam": exam["exam_name"],
        "attempts": exam["attempts"],
        "messages": exam["messages"],
        **{name: exam[name] for name in averages},
        "average_score": percent(exam["average_score"]),
        "average_score_by_message": percent(exam["average_score_by_message"]),
        "all_correct": exam["all_correct_attempts"],
        "all_correct_by_message": exam["all_correct_messages"],
    }


def _hardest(hardest: Hardest) -> Answer:
    return Answer(
        "hardest_exams",
        "Which exams are the hardest?",
        f"The {HARDEST} exam names with the lowest mean score.",
        f"Without test data; only exams with at least {hardest.at_least} scored attempts.",
        fields=(
            Field("exam", "Exam"),
            Field("attempts", "Scored attempts", by_message="messages"),
            Field("average_score", "Mean score", "percent", "average_score_by_message"),
            Field("score_stddev", "Spread (sample deviation)", "points"),
        ),
        rows=tuple(
            {
                "exam": exam["exam_name"],
                "attempts": exam["scored_attempts"],
                "messages": exam["scored_messages"],
                "average_score": percent(exam["average_score"]),
                "average_score_by_message": percent(exam["average_score_by_message"]),
                "score_stddev": percent(exam["score_stddev"]),
            }
            for exam in hardest.rows
        ),
    )
