"""What one assessment message must look like: its fields, their types, limits and spellings.

Belongs here: the structs and what types alone can't say (times, repeated ids). Not here: how bytes
become a document, the wording of refusals, and facts across messages (tables and checks).

The limits are also a promise to the engines: what passes here, Sail's and Spark's `from_json` and
`to_timestamp` read without turning anything into null. So a change needs a new `CONTRACT_VERSION`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from assess_assets.messages.rules import Fault, Rule, described

CONTRACT_VERSION: int = 3
MAX_MESSAGE_BYTES = 16 * 1024 * 1024

# The longest genuine one has 86 characters. These are keys of tables and words of reports.
_NOT_BLANK = r"\S"
_DECIMAL = r"^[0-9]{1,9}(\.[0-9]{1,9})?\Z"
# For a reader of quarantine: what a string must be that has to match.
IN_WORDS = {
    _NOT_BLANK: "string that is not blank",
    _DECIMAL: "a decimal number in a string, at most nine digits before and after the point",
}

Text = Annotated[str, Meta(min_length=1, max_length=1_000)]
Key = Annotated[str, Meta(min_length=1, max_length=1_000, pattern=_NOT_BLANK)]
# A billion of a billion still sums up within 64 bits.
Whole = Annotated[int, Meta(ge=0, le=1_000_000_000)]
DecimalText = Annotated[str, Meta(pattern=_DECIMAL)]

Certification = Literal["true", "false"]
UserResult = Literal["correct", "missed_some", "incorrect", "unanswered"]

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)  # the first instant that is too late
_LATEST_EPOCH = int(LATEST.timestamp())
IN_RANGE = "a time from 1970-01-01 up to 2200-01-01"
EPOCH = "epoch seconds with at most nine decimals"
INSTANT = "a time like 2018-01-23T21:42:37.506Z, with an offset"

# [0-9], because \d matches the digits of every script. Both engines stop at offsets of 18 hours and
# want an upper-case T and Z, and Python itself would also take week dates and a bare 24:00.
_EPOCH = re.compile(r"([0-9]{1,18})(?:\.[0-9]{1,9})?")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    r"(?:Z|[+-](?:(?:0[0-9]|1[0-7]):[0-5][0-9]|18:00))"
)

# An option's time in canonical JSON that needs a second look. The others are fine: every month has
# 28 days, whatever the offset they lie within the range, and their column holds all of their
# digits. A quote within a string has a backslash before it, so nothing else looks like that key.
_UNUSUAL_TIME_OF_OPTION = re.compile(
    rb'"at":"(?!'
    rb"(?:19[89][0-9]|20[0-9]{2}|21[0-8][0-9])-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    rb"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?Z\")"
)
_DIGITS_OF_A_DOUBLE = sys.float_info.dig  # a double holds any decimal number of 15 digits

# Digits of a second beyond the sixth that are not all zero.
_FINER = re.compile(r"\.[0-9]{6}[0-9]*[1-9]")


class Part(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Any object of a message. Unknown keys are no fault: verdict.py sets them aside beforehand.

    `UNSET` is a key that is absent: for a fingerprint that is not the same as null. JSON has no
    cycles, so the garbage collector need not look at these, which come by the million.
    """


class Option(Part, frozen=True):
    """One answer that could be ticked; what the source has nothing to say about is absent."""

    id: Text
    checked: bool
    at: str | UnsetType | None = UNSET
    submitted: Whole | UnsetType | None = UNSET
    correct: bool | UnsetType | None = UNSET


class Question(Part, frozen=True):
    """One question as the user left it."""

    id: Text
    user_incomplete: bool
    user_correct: bool
    user_submitted: bool
    user_result: UserResult
    options: list[Option]


class Counts(Part, frozen=True):
    """The counts that the source reports: absent as a whole, or complete."""

    incomplete: Whole
    submitted: Whole
    incorrect: Whole
    all_correct: bool
    correct: Whole
    total: Whole
    unanswered: Whole


class Sequences(Part, frozen=True):
    """The exam form that was sat; `id` is the form's, shared by many attempts."""

    questions: list[Question]
    attempt: Whole
    id: Text
    counts: Counts | UnsetType | None = UNSET


class Message(Part, frozen=True):
    """One attempt. The source sends numbers, times and truth at this level as strings."""

    keen_timestamp: str
    keen_created_at: str
    keen_id: Text
    max_attempts: DecimalText
    started_at: str
    base_exam_id: Key
    user_exam_id: Key
    exam_name: Text
    sequences: Sequences
    certification: Certification | UnsetType | None = UNSET


# Which fields of an object hold objects again, or lists of them.
PARTS: dict[type[Part], dict[str, type[Part]]] = {
    Message: {"sequences": Sequences},
    Sequences: {"counts": Counts, "questions": Question},
    Question: {"options": Option},
    Option: {},
    Counts: {},
}


def required_fields(part: type[Part]) -> list[str]:
    """Those that an object of this kind must have; they can't be null."""
    return [field.name for field in structs.fields(part) if field.required]


def has_plain_times(canonical: bytes) -> bool:
    """Whether no option's time can have a fault or too many digits; False says nothing."""
    return _UNUSUAL_TIME_OF_OPTION.search(canonical) is None


def first_fault(message: Message, plain_times: bool = False) -> Fault | None:
    """The first rule broken by a message whose types are right, or None.

    With `plain_times` (see `has_plain_times`) options' times are not looked at again.
    """
    if fault := _epoch_fault(message.keen_timestamp):
        return Fault(fault[0], "$.keen_timestamp", fault[1], described(message.keen_timestamp))
    if fault := _epoch_fault(message.keen_created_at):
        return Fault(fault[0], "$.keen_created_at", fault[1], described(message.keen_created_at))
    if fault := _instant_fault(message.started_at):
        return Fault(fault[0], "$.started_at", fault[1], described(message.started_at))
    questions = message.sequences.questions
    if len({question.id for question in questions}) < len(questions):
        position, repeated = _first_repetition(questions)
        expected = "an id that no other question of the attempt has"
        path = f"$.sequences.questions[{position}].id"
        return Fault(Rule.REPEATED_QUESTION_ID, path, expected, described(repeated))
    if plain_times:
        ids = [option.id for question in questions for option in question.options]
        if len(set(ids)) == len(ids):
            return None  # not even questions share an option, as they may
    for position, question in enumerate(questions):
        if option_fault := _first_option_fault(question.options, plain_times):
            rule, path, expected, found = option_fault
            return Fault(rule, f"$.sequences.questions[{position}].options{path}", expected, found)
    return None


def finer_than_columns(message: Message, plain_times: bool = False) -> dict[str, object]:
    """Texts with more digits than their columns hold, by path, so that none of them is lost.

    Times have microseconds in tables, and max_attempts is a double. `message` has no fault.
    """
    finer: dict[str, object] = {}
    attempts = message.max_attempts
    if len(attempts) > _DIGITS_OF_A_DOUBLE and Decimal(attempts) != Decimal(repr(float(attempts))):
        finer["$.max_attempts"] = attempts
    if _FINER.search(message.started_at):
        finer["$.started_at"] = message.started_at
    for i, question in enumerate(() if plain_times else message.sequences.questions):
        for j, option in enumerate(question.options):
            if isinstance(option.at, str) and _FINER.search(option.at):
                finer[f"$.sequences.questions[{i}].options[{j}].at"] = option.at
    return finer


def _first_option_fault(options: list[Option], plain_times: bool) -> Fault | None:
    if len({option.id for option in options}) < len(options):
        position, repeated = _first_repetition(options)
        expected = "an id that no other option of the question has"
        return Fault(Rule.REPEATED_OPTION_ID, f"[{position}].id", expected, described(repeated))
    for position, option in enumerate(() if plain_times else options):
        if isinstance(option.at, str) and (fault := _instant_fault(option.at)):
            return Fault(fault[0], f"[{position}].at", fault[1], described(option.at))
    return None


def _epoch_fault(text: str) -> tuple[Rule, str] | None:
    match = _EPOCH.fullmatch(text)
    if match is None:
        return Rule.BAD_TIMESTAMP, EPOCH
    return None if int(match[1]) < _LATEST_EPOCH else (Rule.OUT_OF_RANGE, IN_RANGE)


def _instant_fault(text: str) -> tuple[Rule, str] | None:
    if _INSTANT.fullmatch(text) is None:
        return Rule.BAD_TIMESTAMP, INSTANT
    try:
        instant = datetime.fromisoformat(text)  # knows the calendar
    except ValueError:
        return Rule.BAD_TIMESTAMP, INSTANT
    return None if EARLIEST <= instant < LATEST else (Rule.OUT_OF_RANGE, IN_RANGE)


def _first_repetition(parts: Sequence[Question | Option]) -> tuple[int, str]:
    seen: set[str] = set()
    for position, part in enumerate(parts):
        if part.id in seen:
            return position, part.id
        seen.add(part.id)
    raise AssertionError("no id is repeated")
