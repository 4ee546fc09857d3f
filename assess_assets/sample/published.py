"""What others published about the real sample as a whole, as typed constants.

Belongs here: figures somebody counted, and what follows from them by arithmetic. Does not: figures
per exam (`exams`), and anything about how the synthetic sample is built from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

# The whole file -------------------------------------------------------------------------------
ALL_CORRECT: Final = 841  # messages; 827 attempts
PASSING_ATTEMPTS: Final = 1620  # attempts with more than 70 % correct
SCORE_STDDEV: Final = 0.31086692286170553  # of a sample; over the 3275 messages with counts
NULL_CERTIFICATIONS: Final = 132
DISTINCT_QUESTIONS: Final = 473
NEVER_WRONG_QUESTIONS: Final = 64  # of those: submitted, and every time correctly

# Messages by questions and by incomplete ones among them. Published by ratio and, for the first
# twenty ratios, by total too; the ratio 0.2 (137) is taken to be one of five, never two of ten.
INCOMPLETE: Final[Mapping[int, Mapping[int, int]]] = {
    1: {1: 3},
    2: {1: 4},
    3: {1: 65, 2: 20},
    4: {1: 452, 2: 35, 3: 8, 4: 1},
    5: {1: 137, 2: 44, 3: 8, 4: 1},
    6: {1: 24, 2: 13, 4: 1},
    7: {1: 43, 2: 38, 3: 29, 4: 4, 5: 1},
    8: {1: 15, 2: 5, 4: 1},
    10: {1: 4, 3: 1},
}

# Time -----------------------------------------------------------------------------------------
FIRST_START: Final = "2017-11-21T00:42:08.990Z"
LAST_START: Final = "2018-01-28T19:17:53.796Z"
BUSIEST_DATES: Final[Mapping[date, int]] = {  # attempts
    date(2017, 12, 5): 123,
    date(2017, 12, 11): 97,
    date(2017, 12, 20): 91,
    date(2017, 12, 18): 91,
    date(2017, 12, 14): 84,
}
MESSAGES_BY_HOUR: Final = (
    *(69, 71, 57, 64, 80, 87, 151, 139, 134, 126, 132, 162),
    *(136, 217, 224, 211, 188, 192, 134, 145, 142, 204, 125, 90),
)
# The published means, 7.431079826732673 and 1.3742780528052805 minutes, are whole seconds divided
# by 3232 attempts, and by no other number: ten attempts have no `at` at all.
ATTEMPTS_WITHOUT_ANSWERS: Final = 10
SECONDS_UNTIL_LAST_ANSWER: Final = 1_441_035
SECONDS_BETWEEN_ANSWERS: Final = 266_500

# Single messages ------------------------------------------------------------------------------
TEST_EXAM: Final = "example-id"
FIRST_CORRECT: Final = (2, 1, 3, 2, 3, 5, 1, 5, 4, 0)  # correct answers of the first ten messages


@dataclass(frozen=True, slots=True)
class Pin:
    """A message published with its place in the file."""

    exam_name: str
    keen_id: str
    keen_timestamp: str
    correct: int | None = None


PINNED: Final[Mapping[int, Pin]] = {
    99: Pin(
        "Refactor a Monolithic Architecture into Microservices",
        "5a5fe86f8b8d730001eec4a6",
        "1516234863.2837181",
        correct=3,
    ),
    3278: Pin(
        "I'm a Software Architect, Now What?",
        "5a3a3f6b8c7fa00001d2a03e",
        "1513766763.2734821",  # the seconds are those of the id, the decimals made up
    ),
    3279: Pin(
        "Learning Linux System Administration",
        "5a3a3df2448eb200012a2efd",
        "1513766386.5845051",
        correct=6,
    ),
}

# Single questions -----------------------------------------------------------------------------
LEARNING_GIT: Final = "8b4488de-43a5-4ffa-bf82-af1e19ee1b64"
GIT_CORRECT_BY_POSITION: Final = (270, 270, 261, 264, 267)
GIT_THIRD_QUESTION_CORRECT_OPTION: Final = (101, 121, 91, 81)  # messages by the option's position
QUESTION_RESULTS: Final[Mapping[str, tuple[tuple[int, int, int], ...]]] = {
    # by base exam id, for each question: correct, incorrect, incomplete; the rest is unanswered
    "4cdf9b5f-fdb7-4a4f-aaf3-51ec08dedecb": ((6, 3, 0), (3, 4, 2), (6, 3, 0), (6, 3, 0)),
    "e824836a-3835-4e79-b070-ae6d0da89b3e": ((53, 14, 0), (29, 25, 13), (52, 13, 0), (60, 6, 0)),
}
