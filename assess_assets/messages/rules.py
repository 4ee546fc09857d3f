"""The names of the rules a message can break, and how a broken rule is put into words.

Belongs here: `Rule`, `Fault` and the wording they share. Not here: the contract itself
(contract.py) and the order in which rules are tried (verdict.py).
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

MAX_FOUND_CHARACTERS = 200


class Rule(StrEnum):
    """A rule and, as `meaning`, one line for the reader of a quarantine table; docs list these."""

    meaning: str

    def __new__(cls, name: str, meaning: str) -> Rule:
        rule = str.__new__(cls, name)
        rule._value_ = name
        rule.meaning = meaning
        return rule

    UNREADABLE_SOURCE = "unreadable_source", "The source itself is damaged here; found says how."
    EMPTY_MESSAGE = "empty_message", "There is no value, or only whitespace."
    NOT_UTF8 = "not_utf8", "The bytes are not UTF-8 text."
    NOT_JSON = "not_json", "The text is not one JSON value; found names the byte where it fails."
    NESTED_TOO_DEEP = (
        "nested_too_deep",
        "Objects and arrays are nested deeper than engines can read.",
    )
    MESSAGE_TOO_LARGE = "message_too_large", "The message is larger than any attempt can be."
    NOT_AN_OBJECT = "not_an_object", "The JSON value is an array or a scalar, not one attempt."
    MISSING_FIELD = "missing_field", "A required field is absent."
    WRONG_TYPE = "wrong_type", "A value has another JSON type than the contract says."
    NOT_ALLOWED = "not_allowed", "A value has the right type, but not an allowed content or length."
    BAD_TIMESTAMP = (
        "bad_timestamp",
        "A time is not spelled as the contract says, or not in the calendar.",
    )
    OUT_OF_RANGE = "out_of_range", "A number or a time lies outside what the contract can hold."
    REPEATED_QUESTION_ID = "repeated_question_id", "Two questions of the attempt share an id."
    REPEATED_OPTION_ID = "repeated_option_id", "Two options of one question share an id."


class Fault(NamedTuple):
    """One broken rule: where, what the contract expects there and what was found instead."""

    rule: Rule
    json_path: str
    expected: str
    found: str


def bounded(text: str) -> str:
    """`text` or its beginning: quarantine keeps the whole bytes, `found` only points at them."""
    if len(text) <= MAX_FOUND_CHARACTERS:
        return text
    return text[: MAX_FOUND_CHARACTERS - 1] + "…"


def described(value: object) -> str:
    """A parsed JSON value in words. A container gives its type only, so no payload gets through."""
    match value:
        case None:
            return "null"
        case bool():
            return f"boolean {'true' if value else 'false'}"
        case int():
            return f"integer {value}"
        case float():
            return f"number {value!r}"
        case str():
            return f'string "{value[:MAX_FOUND_CHARACTERS]}"'
        case list():
            return f"array of {len(value)}"
        case _:
            return "object"
