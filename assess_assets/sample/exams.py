"""What others published about each exam and each message, read lazily from two data files.

Belongs here: the 107 exams, the twenty repeated attempts, the number of questions per message. Does
not: figures about the whole sample (`published`), and how the synthetic sample is built.

`published_exams.csv` has a row per base exam id. Published per exam name, the figures of the four
names with two base ids are split between them here; only their sums are published. Where averages
of incorrect and unanswered answers are published, sums that round to them are given: the only ones,
but for Intermediate Python Programming and Introduction to Java 8, where they are one of several.
`published_totals.txt` has a base-36 digit per message: its number of questions, `-` if not counted.
"""

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Final

from assess_assets.sample.published import TEST_EXAM


@dataclass(frozen=True, slots=True)
class Repeated:
    """An attempt that the file holds more than once. Published are all but the correct answers.

    Of those, the sum over an exam follows from its means with and without repetitions, and the
    number of full scores from 841 and 827; who of several has which is free. The d3.js one is free.
    """

    user_exam_id: str
    base_exam_id: str
    messages: int
    correct: int


REPEATED: Final = (
    Repeated("d4ab4aeb-1368-4866-bc5e-7eee69fd1608", "9ff51f14-7525-11e6-a5b2-a4d18ccf3cb4", 3, 2),
    Repeated("c320d47f-60d4-49a5-9d6c-67e947979bf0", "1afec2b2-6178-4ce7-8154-5f0c9a3959c9", 3, 4),
    Repeated("00745aef-f3af-4127-855c-afc3b6ef4011", "1afec2b2-6178-4ce7-8154-5f0c9a3959c9", 3, 4),
    Repeated("37cf5b0c-4807-4214-8426-fb1731b57700", "1afec2b2-6178-4ce7-8154-5f0c9a3959c9", 3, 2),
    Repeated("a244c11a-d890-4e3e-893d-d17c5ce2ad05", "1afec2b2-6178-4ce7-8154-5f0c9a3959c9", 3, 2),
    Repeated("6132da16-2c0c-436c-9c48-43b8bafe0978", "1afec2b2-6178-4ce7-8154-5f0c9a3959c9", 3, 1),
    Repeated("66d91177-c436-4ee1-b0b0-daa960e1b2d0", "1afec2b2-6178-4ce7-8154-5f0c9a3959c9", 3, 1),
    Repeated("028ad26f-a89f-4a63-95d4-b6b58f6fa30d", "94b741b2-fc67-4db4-adc2-aafae130848f", 3, 4),
    Repeated("949aa36c-74c7-4fc1-a41f-42386c1beb37", "94b741b2-fc67-4db4-adc2-aafae130848f", 3, 2),
    Repeated("6e4889ab-5978-44b9-832f-6243300e401f", "1a233da8-e6e5-48a6-8c3c-806e312cce12", 2, 2),
    Repeated("c1eb4d4a-d6ef-43ee-9ef4-58bc6c1d17ff", "1a233da8-e6e5-48a6-8c3c-806e312cce12", 2, 1),
    Repeated("b7ac6d15-97e1-4e94-a09d-da819024b8cd", "6442707e-7488-11e6-831b-a8667f27e5dc", 3, 4),
    Repeated("a45b5ee6-a4ed-4b18-b962-15abddd765d7", "56c8b891-0d34-4a87-b2aa-9de816823784", 3, 3),
    Repeated("3d63ec69-8d97-4f99-82aa-b0786ef21679", "56c8b891-0d34-4a87-b2aa-9de816823784", 3, 2),
    Repeated("ac80a11a-2e79-40ef-a756-7edb6f0ddf0b", "56c8b891-0d34-4a87-b2aa-9de816823784", 3, 2),
    Repeated("fa23b287-0d0a-4683-8d19-38a65b7f57d1", "a8dedd1d-0f67-4f4c-a41e-763dbb764493", 3, 4),
    Repeated("1e325cc1-47a9-4808-8f6b-508b5459ed6d", "a8dedd1d-0f67-4f4c-a41e-763dbb764493", 3, 3),
    Repeated("bd96cfbe-1532-4ba2-a504-7e8a437a5065", "b2264d14-7699-11e6-b275-9801a7c3b233", 3, 4),
    Repeated("a7e6fc04-245f-4e3c-9539-e2aac44c0eb8", "8b4488de-43a5-4ffa-bf82-af1e19ee1b64", 3, 5),
    Repeated("cdc5859d-b332-4fb1-aae4-5cacb52cea5f", "8b4488de-43a5-4ffa-bf82-af1e19ee1b64", 3, 4),
)


@dataclass(frozen=True, slots=True)
class Exam:
    """One base exam id; None where nothing is published."""

    name: str
    base_exam_id: str
    messages: int
    questions: int  # shown in each message
    correct: int  # over all messages, as are the next two
    incomplete: int | None
    unanswered: int | None
    all_correct: int | None  # messages with every question correct
    all_incorrect: int | None  # messages with every question incorrect
    first_date: date | None
    last_date: date | None
    first_correct: int | None  # attempts in which the question shown first was answered correctly

    @property
    def is_test(self) -> bool:
        return self.base_exam_id == TEST_EXAM

    @property
    def repeated(self) -> tuple[Repeated, ...]:
        return tuple(each for each in REPEATED if each.base_exam_id == self.base_exam_id)


@cache
def exams() -> tuple[Exam, ...]:
    """All 107, the test exam included, the most frequent first."""

    def count(text: str) -> int | None:
        return int(text) if text else None

    def day(text: str) -> date | None:
        return date.fromisoformat(text) if text else None

    lines = (resources.files(__package__) / "published_exams.csv").read_text("utf-8").splitlines()
    return tuple(
        Exam(
            name=row["exam_name"],
            base_exam_id=row["base_exam_id"],
            messages=int(row["messages"]),
            questions=int(row["questions"]),
            correct=int(row["correct"] or 0),
            incomplete=count(row["incomplete"]),
            unanswered=count(row["unanswered"]),
            all_correct=count(row["all_correct"]),
            all_incorrect=count(row["all_incorrect"]),
            first_date=day(row["first_date"]),
            last_date=day(row["last_date"]),
            first_correct=count(row["first_correct"]),
        )
        for row in csv.DictReader(lines)
    )


@cache
def totals() -> tuple[int | None, ...]:
    """The number of questions of each message in file order; None where it has no counts."""
    text = (resources.files(__package__) / "published_totals.txt").read_text("utf-8")
    return tuple(None if digit == "-" else int(digit, 36) for digit in "".join(text.split()))
