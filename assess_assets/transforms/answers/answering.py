"""All answers of one customer, in the order in which they are read. Add a section: name it here."""

from collections.abc import Mapping

from pyspark.sql import DataFrame

from assess_assets.transforms.answers.about_exams import about_exams, about_one_exam
from assess_assets.transforms.answers.about_messages import about_messages
from assess_assets.transforms.answers.about_performance import about_performance
from assess_assets.transforms.answers.about_questions import about_questions
from assess_assets.transforms.answers.about_scores import about_scores
from assess_assets.transforms.answers.about_time import about_time
from assess_assets.transforms.answers.answer import Answers
from assess_assets.transforms.answers.figures import Figures, gather_figures


def answer_customer(
    customer: str,
    build: int,
    batch: int,
    frames: Mapping[str, DataFrame],
    exam: str | None = None,
) -> Answers:
    """Answers from `TABLES_READ`, all as of (build, batch). Raises UnknownExam."""
    return answers_from(customer, build, batch, gather_figures(customer, frames, exam))


def answers_from(customer: str, build: int, batch: int, figures: Figures) -> Answers:
    sections = (
        about_messages(figures),
        about_exams(figures),
        about_one_exam(figures),
        about_scores(figures),
        about_questions(figures),
        about_time(figures),
        about_performance(figures),
    )
    return Answers(customer, build, batch, figures.exam, sections)
