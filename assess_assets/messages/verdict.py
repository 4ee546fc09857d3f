"""From the bytes of one message to a verdict: accepted with its fingerprint, or refused and why.

Belongs here: the order in which rules are tried, unknown keys, and msgspec's errors put into rule,
path, expected and found. Not here: the contract (contract.py) and whole batches (batches.py).

The usual message takes one way through: decode, a few looks, fingerprint. Whatever fails on it
gets a second look, which may take its time.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final, NamedTuple, get_args

import msgspec

from assess_assets.messages import contract
from assess_assets.messages.contract import MAX_MESSAGE_BYTES, Message, Part
from assess_assets.messages.fractions import exactly
from assess_assets.messages.rules import Fault, Rule, bounded, described
from assess_assets.messages.spelling import (
    is_nested_too_deep,
    may_hide_a_fault,
    nested_too_deep,
    spelling_fault,
)

_DECODER: Final = msgspec.json.Decoder()
_ENCODER: Final = msgspec.json.Encoder(order="sorted")
# Made at import: msgspec (0.22) works a Struct out when it is first used, and a second thread that
# meets it half done crashes the process. An engine judges in several threads at once.
_MESSAGES: Final = msgspec.json.Decoder(Message)

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_EXPECTED = re.compile(r"Expected `([^`]+)`(?:, got `\w+`)?(.*)", re.DOTALL)
# As msgspec says it: a pattern comes as it is written in Python.
_PATTERNS = {
    f"string matching regex {pattern!r}": words for pattern, words in contract.IN_WORDS.items()
}
_JSON_NAMES = {"int": "integer", "str": "string", "bool": "boolean"}
_CHOICES = {
    "certification": get_args(contract.Certification),
    "user_result": get_args(contract.UserResult),
}


class Verdict(NamedTuple):
    """What is to be known about a message. It is accepted when `rule` is None.

    A refused one has no attempt id and no fingerprint: the ledger must not take it for a content.
    """

    attempt_id: str | None = None
    fingerprint: str | None = None
    question_count: int | None = None
    option_count: int | None = None
    unmapped: str | None = None
    rule: str | None = None
    json_path: str | None = None
    expected: str | None = None
    found: str | None = None


def judge(value: bytes | memoryview | None, source_defect: str | None = None) -> Verdict:
    """The verdict on one message; pure, and raises for no value whatsoever.

    `source_defect` says why the source could not give a message here (a cut-off file, say).
    """
    if source_defect is not None:
        return _refused(
            Fault(Rule.UNREADABLE_SOURCE, "$", "a source that can be read", source_defect)
        )
    if value is None:
        return _refused(Fault(Rule.EMPTY_MESSAGE, "$", "a JSON object", "no value"))
    if len(value) > MAX_MESSAGE_BYTES:
        expected = f"at most {MAX_MESSAGE_BYTES} bytes"
        return _refused(Fault(Rule.MESSAGE_TOO_LARGE, "$", expected, f"{len(value)} bytes"))
    try:
        message = _MESSAGES.decode(value)
    except (ValueError, RecursionError):
        return _second_look(bytes(value))
    canonical = _ENCODER.encode(message)
    if may_hide_a_fault(value, len(canonical)) and (fault := spelling_fault(bytes(value))):
        return _refused(fault)
    return _weighed(message, canonical, {})


def _weighed(message: Message, canonical: bytes, unmapped: dict[str, object]) -> Verdict:
    plain_times = contract.has_plain_times(canonical)
    if fault := contract.first_fault(message, plain_times):
        return _refused(fault)
    unmapped |= contract.finer_than_columns(message, plain_times)
    questions = message.sequences.questions
    return Verdict(
        attempt_id=message.user_exam_id,
        fingerprint=hashlib.sha256(canonical).hexdigest(),
        question_count=len(questions),
        option_count=sum([len(question.options) for question in questions]),
        unmapped=_ENCODER.encode(unmapped).decode() if unmapped else None,
    )


def _second_look(raw: bytes) -> Verdict:
    """For what is not a message as it stands: unknown keys, a fault, or both."""
    try:
        document = _DECODER.decode(raw)
    except (ValueError, RecursionError) as error:
        return _refused(_decoding_fault(raw, error))
    if not isinstance(document, dict):
        # Not `described`: a scalar here is the whole payload.
        found = described(document).partition(" ")[0]
        return _refused(Fault(Rule.NOT_AN_OBJECT, "$", "a JSON object", found))
    if fault := spelling_fault(raw):  # first: from here on, no value can be too deep for us either
        return _refused(fault)
    unmapped: dict[str, object] = {}
    known = _set_aside(document, Message, "$", unmapped)
    try:
        message = msgspec.convert(known, Message)
    except msgspec.ValidationError as error:
        return _refused(_contract_fault(str(error), known))
    if unmapped:  # the only place where a message may have fractions
        document, unmapped = exactly(raw), {}
        _set_aside(document, Message, "$", unmapped)
    return _weighed(message, _ENCODER.encode(document), unmapped)


def _set_aside(node: object, part: type[Part], path: str, unmapped: dict[str, object]) -> object:
    """A copy of `node` without the keys that `part` doesn't know; those go to `unmapped`."""
    if isinstance(node, list):
        return [_set_aside(item, part, f"{path}[{i}]", unmapped) for i, item in enumerate(node)]
    if not isinstance(node, dict):
        return node
    known = dict(node)
    for key in node:
        if key not in part.__struct_fields__:
            # In brackets and quotes a key with dots can't pass for a path of several steps.
            plain = _IDENTIFIER.fullmatch(key)
            step = f".{key}" if plain else f"[{_ENCODER.encode(key).decode()}]"
            unmapped[path + step] = known.pop(key)
    for key, inner in contract.PARTS[part].items():
        if key in known:
            known[key] = _set_aside(known[key], inner, f"{path}.{key}", unmapped)
    return known


def _decoding_fault(raw: bytes, error: Exception) -> Fault:
    if not raw.strip():
        return Fault(Rule.EMPTY_MESSAGE, "$", "a JSON object", f"{len(raw)} bytes of whitespace")
    try:
        raw.decode()
    except UnicodeDecodeError as broken:
        found = f"byte 0x{raw[broken.start]:02x} at position {broken.start}"
        return Fault(Rule.NOT_UTF8, "$", "text in UTF-8", found)
    # Looked up in the text, as the depth at which the decoder gives up depends on its caller's.
    if is_nested_too_deep(raw) or isinstance(error, RecursionError):
        return nested_too_deep()
    if isinstance(error, msgspec.ValidationError):
        # Where it is, the decoder doesn't say: its path has no names.
        found = str(error).partition(" - at ")[0]
        return Fault(Rule.OUT_OF_RANGE, "$", "numbers below 1e308", found)
    if raw.startswith(b"\xef\xbb\xbf"):
        found = "a byte order mark (EF BB BF) before the text"
        return Fault(Rule.NOT_JSON, "$", "JSON without a byte order mark", found)
    found = str(error) if "(byte" in str(error) else f"{error} ({len(raw)} bytes)"
    return Fault(Rule.NOT_JSON, "$", "one JSON value", found)


def _contract_fault(text: str, document: object) -> Fault:
    """msgspec's sentence, such as "Expected `int`, got `str` - at `$.a[0].b`", as a fault."""
    # The path comes last and holds only names of the contract, whatever the value before it holds.
    problem, _, path = text.removesuffix("`").rpartition(" - at `")
    if not problem:
        problem, path = text, "$"
    if missing := _MISSING.fullmatch(problem):
        return Fault(Rule.MISSING_FIELD, f"{path}.{missing[1]}", "a value", "no such field")
    found = _value_at(document, path)
    if (choices := _CHOICES.get(path.rpartition(".")[2])) and isinstance(found, str):
        return Fault(Rule.NOT_ALLOWED, path, "one of " + ", ".join(choices), described(found))
    match = _EXPECTED.fullmatch(problem)
    kinds, limit = (match[1], match[2]) if match else (problem, "")
    expected = " or ".join(_JSON_NAMES.get(kind, kind) for kind in kinds.split(" | ")) + limit
    if not limit:
        return Fault(Rule.WRONG_TYPE, path, expected, described(found))
    rule = Rule.OUT_OF_RANGE if isinstance(found, int) else Rule.NOT_ALLOWED
    return Fault(rule, path, _PATTERNS.get(expected, expected), described(found))


def _value_at(document: object, path: str) -> object:
    for key, index in _STEP.findall(path):
        if isinstance(document, dict):
            document = document[key]
        elif isinstance(document, list):
            document = document[int(index)]
    return document


def _refused(fault: Fault) -> Verdict:
    return Verdict(
        rule=fault.rule.value,
        json_path=fault.json_path,
        expected=fault.expected,
        found=bounded(fault.found),
    )
