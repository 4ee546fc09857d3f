"""What the tables must hold, told from landed files, claims and builds with `json` alone.

Independent of the project's code: nothing of `assess_assets` is imported here. Does not belong
here: reading a lake, and comparing it with this (`watching`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from assess_assets_tests.faults.fates import RESULTS, Arrived, Fated, fates_of, sizes

Row = tuple[Any, ...]


# What is compared of each table, in the order of the oracle's rows.
_MESSAGE = ("build", "batch", "source", "partition", "offset")
_OF_ATTEMPT = (*_MESSAGE, "user_exam_id", "base_exam_id", "exam_name", "is_test")
_MADE_FROM = ("build", "batch")
COMPARED: Mapping[str, tuple[str, ...]] = {
    "raw_messages": ("batch", "source", "partition", "offset", "value"),
    "assessments": _OF_ATTEMPT,
    "quarantined_messages": (*_MESSAGE, "value"),
    "conflicting_assessments": (
        *_MESSAGE,
        *("user_exam_id", "accepted_source", "accepted_partition", "accepted_offset", "value"),
    ),
    "message_ledger": (
        *_MESSAGE,
        *("fate", "user_exam_id", "refers_to_source", "refers_to_partition", "refers_to_offset"),
        *("question_count", "option_count"),
    ),
    "questions": (*_OF_ATTEMPT, "position", "question_id", "result", "options_shown"),
    "options": (*_OF_ATTEMPT, "question_position", "position", "option_id", "checked"),
    "exams": (
        *_MADE_FROM,
        *("base_exam_id", "messages", "attempts", "questions_seen", "is_test"),
    ),
    "exam_counts": (
        *_MADE_FROM,
        *("exam_name", "messages", "attempts", "base_exam_ids", "is_test", "popularity_rank"),
    ),
    "exam_performance": (*_MADE_FROM, "exam_name", "messages", "attempts", "is_test"),
    "question_difficulty": (
        *_MADE_FROM,
        *("base_exam_id", "question_id", "shown", *RESULTS, "is_test"),
    ),
}
AGGREGATES = ("exams", "exam_counts", "exam_performance", "question_difficulty")


class Truth:
    """What every table holds when all of `messages` have been through a build."""

    def __init__(
        self, messages: Sequence[Arrived], build: int, test_exam_ids: frozenset[str]
    ) -> None:
        self._messages = messages
        self._build = build
        self._test = test_exam_ids
        self._fated = list(fates_of(messages))

    def rows(self, table: str) -> list[Row]:
        """In the columns of COMPARED, in no order."""
        made: list[Row] = getattr(self, f"_{table}")()
        return made

    def _raw_messages(self) -> list[Row]:
        return [(m.batch, m.source, m.partition, m.offset, m.text.encode()) for m in self._messages]

    def _message_ledger(self) -> list[Row]:
        return [
            (
                *self._where(one.message),
                *(one.fate, one.attempt),
                *(_place(one.first) if one.first else (None, None, None)),
                *(sizes(one.body) if one.attempt else (None, None)),
            )
            for one in self._fated
        ]

    def _quarantined_messages(self) -> list[Row]:
        refused = [one.message for one in self._fated if one.fate == "quarantined"]
        return [(*self._where(message), message.text.encode()) for message in refused]

    def _conflicting_assessments(self) -> list[Row]:
        return [
            (
                *self._where(one.message),
                *(one.attempt, *_place(one.first), one.message.text.encode()),
            )
            for one in self._fated
            if one.fate == "conflict" and one.first
        ]

    def _assessments(self) -> list[Row]:
        return [self._attempt(one) for one in self._accepted]

    def _questions(self) -> list[Row]:
        return [
            (
                *self._attempt(one),
                *(position, question["id"], question["user_result"], len(question["options"])),
            )
            for one in self._accepted
            for position, question in enumerate(one.body["sequences"]["questions"])
        ]

    def _options(self) -> list[Row]:
        return [
            (*self._attempt(one), question_position, position, option["id"], option["checked"])
            for one in self._accepted
            for question_position, question in enumerate(one.body["sequences"]["questions"])
            for position, option in enumerate(question["options"])
        ]

    def _exams(self) -> list[Row]:
        return [
            (
                *(*self._made_from, exam, sum(map(self._sent, attempts)), len(attempts)),
                len({q["id"] for a in attempts for q in a.body["sequences"]["questions"]}),
                exam in self._test,
            )
            for exam, attempts in self._by("base_exam_id").items()
        ]

    def _exam_counts(self) -> list[Row]:
        by_name = self._by("exam_name")
        sent = {name: sum(map(self._sent, attempts)) for name, attempts in by_name.items()}
        return [
            (
                *(*self._made_from, name, sent[name], len(attempts)),
                len({one.body["base_exam_id"] for one in attempts}),
                all(one.body["base_exam_id"] in self._test for one in attempts),
                1 + sum(other > sent[name] for other in sent.values()),
            )
            for name, attempts in by_name.items()
        ]

    def _exam_performance(self) -> list[Row]:
        return [
            (
                *(*self._made_from, name, sum(map(self._sent, attempts)), len(attempts)),
                all(one.body["base_exam_id"] in self._test for one in attempts),
            )
            for name, attempts in self._by("exam_name").items()
        ]

    def _question_difficulty(self) -> list[Row]:
        results: dict[tuple[str, str], list[str]] = defaultdict(list)
        for one in self._accepted:
            for question in one.body["sequences"]["questions"]:
                key = one.body["base_exam_id"], question["id"]
                results[key].append(question["user_result"])
        return [
            (
                *(*self._made_from, exam, question, len(given)),
                *(given.count(result) for result in RESULTS),
                exam in self._test,
            )
            for (exam, question), given in results.items()
        ]

    @property
    def _accepted(self) -> list[Fated]:
        return [one for one in self._fated if one.fate == "accepted"]

    @property
    def _made_from(self) -> tuple[int, int]:
        return self._build, max((m.batch for m in self._messages), default=0)

    def _where(self, message: Arrived) -> Row:
        return self._build, message.batch, *_place(message)

    def _attempt(self, one: Fated) -> Row:
        exam = one.body["base_exam_id"]
        return (
            *self._where(one.message),
            *(one.attempt, exam, one.body["exam_name"], exam in self._test),
        )

    def _by(self, key: str) -> dict[str, list[Fated]]:
        grouped: dict[str, list[Fated]] = defaultdict(list)
        for one in self._accepted:
            grouped[one.body[key]].append(one)
        return grouped

    def _sent(self, accepted: Fated) -> int:
        """The accepted message and identical copies of it."""
        return 1 + sum(
            one.fate == "duplicate" and one.first == accepted.message for one in self._fated
        )


def _place(message: Arrived) -> tuple[str, int, int]:
    return message.source, message.partition, message.offset


def missing_and_repeated(expected: Iterable[Row], found: Iterable[Row]) -> tuple[int, int]:
    """Rows that are not there, and rows that are there too often or should not be."""
    wanted, there = Counter(expected), Counter(found)
    return (wanted - there).total(), (there - wanted).total()
