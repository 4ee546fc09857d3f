"""All figures behind a customer's answers, asked of the engine in a handful of round trips.

Belongs here: which tables are read, and the figures as one typed structure of bounded size. What a
figure means is said by the answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame

from assess_assets.transforms.answers.breakdowns import (
    Breakdowns,
    Fates,
    break_down,
    count_fates,
)
from assess_assets.transforms.answers.exam_figures import (
    choose_exam,
    count_totals,
    read_exams,
    read_forms_of_shared_names,
)
from assess_assets.transforms.answers.hardest import (
    Hardest,
    read_hardest_exams,
    read_hardest_questions,
)
from assess_assets.transforms.answers.question_figures import measure_durations, read_positions
from assess_assets.transforms.answers.rows import First, Rows
from assess_assets.transforms.answers.sums import AttemptFigures, sum_attempts
from assess_assets.transforms.attempts import count_messages

TABLES_READ = (
    "assessments",
    "message_ledger",
    "questions",
    "exams",
    "exam_counts",
    "exam_performance",
    "question_difficulty",
)


@dataclass(frozen=True)
class Figures:
    """What answers are made from. `exam` is the one that was asked for, or the most popular."""

    exam: str | None
    attempts: AttemptFigures
    fates: Fates
    breakdowns: Breakdowns
    exams: Rows
    shared_names: First
    totals: Mapping[str, int]
    hardest_exams: Hardest
    hardest_questions: Hardest
    durations: Mapping[str, int]
    positions: First


def gather_figures(
    customer: str, frames: Mapping[str, DataFrame], exam: str | None = None
) -> Figures:
    """Read `TABLES_READ`, all as of one build and batch. Raises UnknownExam."""
    counts, questions = frames["exam_counts"], frames["questions"]
    performance, difficulty = frames["exam_performance"], frames["question_difficulty"]
    attempts = count_messages(frames["assessments"], frames["message_ledger"])
    exams = read_exams(counts, performance, exam)
    chosen = choose_exam(customer, exams, exam, counts)
    totals = count_totals(counts, frames["exams"], difficulty)
    shared = totals["shared_names"]
    sums = sum_attempts(attempts, chosen)
    return Figures(
        exam=chosen,
        attempts=sums,
        fates=count_fates(frames["message_ledger"]),
        breakdowns=break_down(attempts),
        exams=exams,
        shared_names=read_forms_of_shared_names(attempts, counts) if shared else First([]),
        totals=totals,
        hardest_exams=read_hardest_exams(performance),
        hardest_questions=read_hardest_questions(difficulty),
        durations=measure_durations(attempts, questions, int(sums.whole.by_attempt["attempts"])),
        positions=read_positions(attempts, questions, chosen),
    )
