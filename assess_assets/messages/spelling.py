"""JSON that is valid, but spelled so that one of the engines would silently read null.

Belongs here: limits of the JSON readers of Sail 0.7.2 and Spark 4.2, found by reading the raw text,
because a parsed document no longer shows them. Not here: anything about assessments.

Measured, each a null without an error: Sail at 190 levels (122 were fine) and for the integer -0,
Spark for a number of 1,100 digits and a key of 60,000 characters (10,000 were fine). The limits
below keep well away from all of these.
"""

from __future__ import annotations

import re

import msgspec

from assess_assets.messages.rules import Fault, Rule

MAX_DEPTH = 100
MAX_NUMBER_CHARACTERS = 300
MAX_KEY_CHARACTERS = 1_000

# Hints, cheap but also true of harmless strings; only the tokens tell for sure, at ten times the
# price. A long number follows some quote just as a long key does; with escapes, quotes say nothing.
_HINT_OF_NEGATIVE_ZERO = re.compile(rb"-0[\s,}\]]")
_HINT_OF_LENGTH = re.compile(rb'"[^"]{%d}' % min(MAX_NUMBER_CHARACTERS, MAX_KEY_CHARACTERS))

# Possessive quantifiers, and an optional quote at the end of a string that never ends, keep these
# linear on hostile input. A string followed by a colon is a key.
_STRING = rb'"(?P<string>(?:[^"\\]++|\\.)*+)"?+'
_TOKEN = re.compile(
    _STRING + rb"(?P<key>\s*+:)?|(?P<number>[-0-9][-+.0-9eE]*+)",
    re.DOTALL,
)
_ALL_BUT_BRACKETS = re.compile(_STRING + rb'|[^"\[\]{}]++', re.DOTALL)


def may_hide_a_fault(raw: bytes | memoryview, canonical_bytes: int) -> bool:
    """Whether `spelling_fault` should look at a text whose document, as such, is in order.

    What a later value of the same key replaced is no longer in the document, but the engines still
    stumble over it. `canonical_bytes` is the document's size in its shortest spelling: without as
    many bytes beyond that as it takes to be too deep or too long, there is nothing to be found;
    and -0 is one byte longer than the 0 that becomes of it.
    """
    beyond = len(raw) - canonical_bytes
    return beyond > 0 and (
        beyond > MAX_NUMBER_CHARACTERS
        or (beyond > MAX_DEPTH and is_nested_too_deep(bytes(raw)))
        or _holds_negative_zero(raw)
    )


def _holds_negative_zero(raw: bytes | memoryview) -> bool:
    return _HINT_OF_NEGATIVE_ZERO.search(raw) is not None


def spelling_fault(raw: bytes) -> Fault | None:
    """The first spelling in a valid JSON text that one of the engines would read as null."""
    if is_nested_too_deep(raw):
        return nested_too_deep()
    if not (_holds_negative_zero(raw) or _HINT_OF_LENGTH.search(raw) or b"\\" in raw):
        return None
    for token in _TOKEN.finditer(raw):
        where = f"at byte {token.start()}"
        if token.lastgroup == "key" and len(token["string"]) > MAX_KEY_CHARACTERS:
            # Without its escapes, so that one and the same key isn't refused in one spelling only.
            length = len(msgspec.json.decode(b'"' + token["string"] + b'"', type=str))
            if length > MAX_KEY_CHARACTERS:
                expected = f"keys of at most {MAX_KEY_CHARACTERS} characters"
                return Fault(Rule.NOT_ALLOWED, "$", expected, f"{length} characters {where}")
        if token.lastgroup == "number":
            if token["number"] == b"-0":
                return Fault(Rule.OUT_OF_RANGE, "$", "0 without a minus sign", f"-0 {where}")
            if len(token["number"]) > MAX_NUMBER_CHARACTERS:
                expected = f"numbers of at most {MAX_NUMBER_CHARACTERS} characters"
                found = f"{len(token['number'])} characters {where}"
                return Fault(Rule.OUT_OF_RANGE, "$", expected, found)
    return None


def is_nested_too_deep(raw: bytes) -> bool:
    """Whether the text, be it valid or not, nests deeper than both engines read."""
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _ALL_BUT_BRACKETS.sub(b"", raw):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def nested_too_deep() -> Fault:
    """The fault as such: a decoder that gives up on depth says the same as the look at the text."""
    return Fault(Rule.NESTED_TOO_DEEP, "$", f"at most {MAX_DEPTH} levels", "more levels")
