"""Answers about questions: how many were shown, and which were the hardest."""

from assess_assets.transforms.answers.answer import EVERYTHING, Answer, Field, Section
from assess_assets.transforms.answers.figures import Figures
from assess_assets.transforms.answers.hardest import HARDEST
from assess_assets.transforms.answers.tabular import percent


def about_questions(figures: Figures) -> Section:
    totals, whole = figures.totals, figures.attempts.whole
    return Section(
        "questions",
        "Questions",
        (
            Answer(
                "questions_shown",
                "How many questions were shown?",
                "Questions of all attempts, counted from the detail, whether or not the message "
                "has counts.",
                EVERYTHING,
                "questions",
                whole.by_message["shown"],
                whole.by_attempt["shown"],
            ),
            Answer(
                "distinct_questions",
                "How many different questions are there?",
                "Distinct pairs of base exam id and question id.",
                EVERYTHING,
                "questions",
                totals["questions"],
                totals["questions"],
            ),
            Answer(
                "never_wrong",
                "How many questions were never answered wrong?",
                "Questions that were answered, and each time correctly.",
                EVERYTHING,
                "questions",
                totals["never_wrong"],
                totals["never_wrong"],
            ),
            Answer(
                "never_answered",
                "How many questions were never answered?",
                "Questions that were shown, and each time left unanswered.",
                EVERYTHING,
                "questions",
                totals["never_answered"],
                totals["never_answered"],
            ),
            _hardest(figures),
        ),
    )


def _hardest(figures: Figures) -> Answer:
    hardest = figures.hardest_questions
    return Answer(
        "hardest_questions",
        "Which questions are the hardest?",
        f"The {HARDEST} questions with the largest share of wrong answers: (incorrect + "
        "only some of the correct options) / answered, over attempts.",
        f"Without test data; only questions that at least {hardest.at_least} attempts answered.",
        fields=(
            Field("exam", "Exam"),
            Field("question_id", "Question", "id"),
            Field("shown", "Shown"),
            Field("answered", "Answered"),
            Field("incorrect", "Incorrect"),
            Field("missed_some", "Missed some"),
            Field("share_wrong", "Share wrong", "percent"),
        ),
        rows=tuple(
            {
                "exam": row["exam_name"],
                "question_id": row["question_id"],
                "shown": row["shown"],
                "answered": row["answered"],
                "incorrect": row["incorrect"],
                "missed_some": row["missed_some"],
                "share_wrong": percent(row["share_wrong"]),
            }
            for row in hardest.rows
        ),
    )
