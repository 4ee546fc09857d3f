"""Lawful messages in unlawful looking spellings, and most that break one rule: for fuzz tests.

Belongs here: drawing a message and its text. Does not: any statement about what becomes of it.

Every text is one JSON value, so that many of them can land as one array.
"""

import json
import random
from collections.abc import Iterator
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from assess_assets.sample.records import JsonObject

BROKEN: Final = 0.3

LETTERS: Final = [
    *"aZ09 _-.,:;'\"\\/{}[]()<>$%&#*\x00\x01\t\n\r\x1f\x7f\x85é\u0301ßﬁ漢\u200b\u2028\u2029\ufeff",
    "\ufffd\uffff",
    "\U0001f600",
    "\U0010ffff",
    "null",
    "true",
    "-0",
]
INSTANTS: Final = [
    "2018-01-23T21:42:37.506Z",
    "2018-01-23T21:42:37Z",
    "1970-01-01T00:00:00Z",
    "1970-01-01T18:00:00.000001+18:00",
    "2199-12-31T23:59:59.999999Z",
    "2199-12-31T23:59:59.999999999Z",
    "2020-02-29T00:00:00.100000000-08:30",
    "2018-01-23T21:42:37.5060010+05:30",
    "2018-01-23T21:42:37.000000001Z",
]
BAD_INSTANTS: Final = ["", "now", "2019-02-29T00:00:00Z", "2200-01-01T00:00:00Z", 7, []]
EPOCHS: Final = ["0", "00001", "1516743757.506", "1516743757.123456789", "7258118399.999999999"]
BAD_EPOCHS: Final = ["", "-1", "1e9", "7258118400", 1516743757]
DECIMALS: Final = ["1.0", "0", "3", "1.500000000", "0.1", "999999999.123456789", "000000001.10"]
WHOLES: Final = [0, 1, 2, 255, 2**29, 999_999_999, 1_000_000_000]
BAD_WHOLES: Final = [-1, 1_000_000_001, 2**63, 10**30, 1.0, "1", True, None]
NUMBERS: Final = ["0", "-1", "1.50", "-0.0", "1e2", "1E+2", "1e-400", "1.7976931348623157e308",
                  "0.1", "123456789012345678901234567890", "18446744073709551615",
                  "-9223372036854775808", "3.141592653589793238462643", "5e-324"]  # fmt: skip
BLANKS: Final = ["", "", "", " ", "\n", "\t", "\r\n", "  "]


def odd_messages(number: int) -> list[bytes]:
    """As many texts, each of an attempt of its own: drawn first, so that one run can read all."""
    found: list[bytes] = []

    @settings(
        max_examples=number,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),  # a busy machine is no finding
    )
    @given(st.randoms(use_true_random=True))
    def draw(rng: random.Random) -> None:
        found.append(_text(rng, f"{len(found)}-").encode())

    draw()
    return found


def _text(rng: random.Random, prefix: str) -> str:
    message = _message(rng, prefix)
    if rng.random() < BROKEN:
        _break(rng, message)
    for part in _parts(message):
        if rng.random() < 0.06:
            part[_words(rng)] = _Spelled(_junk(rng))
    return _spelled(rng, message)


class _Spelled(str):
    """A value by its text."""


def _message(rng: random.Random, prefix: str) -> JsonObject:
    results = ("correct", "missed_some", "incorrect", "unanswered")
    numbers = rng.choice([0, 1, 1, 2, 3])
    questions = [
        {
            "id": f"{i}{_words(rng)}",
            "user_incomplete": rng.random() < 0.5,
            "user_correct": rng.random() < 0.5,
            "user_submitted": rng.random() < 0.5,
            "user_result": rng.choice(results),
            "options": [_option(rng, j) for j in range(rng.choice([0, 1, 2, 4]))],
        }
        for i in range(numbers)
    ]
    counts = dict.fromkeys(("incomplete", "submitted", "incorrect", "correct", "total"), 0)
    sequences: JsonObject = {
        "id": _words(rng) or "x",
        "attempt": rng.choice(WHOLES),
        "questions": questions,
        "counts": {name: rng.choice(WHOLES) for name in (*counts, "unanswered")}
        | {"all_correct": rng.random() < 0.5},
    }
    message: JsonObject = {
        "keen_timestamp": rng.choice(EPOCHS),
        "keen_created_at": rng.choice(EPOCHS),
        "keen_id": _words(rng) or "x",
        "max_attempts": rng.choice(DECIMALS),
        "started_at": rng.choice(INSTANTS),
        "base_exam_id": f"x{_words(rng)}",
        "user_exam_id": f"{prefix}{_words(rng)}",
        "exam_name": _words(rng) or "x",
        "certification": rng.choice(["true", "false", None]),
        "sequences": sequences,
    }
    _perhaps(rng, sequences, "counts", None)
    _perhaps(rng, message, "certification", None)
    return message


def _option(rng: random.Random, number: int) -> JsonObject:
    option = {
        "id": f"{number}{_words(rng)}",
        "checked": rng.random() < 0.5,
        "at": rng.choice(INSTANTS),
        "submitted": rng.choice(WHOLES),
        "correct": rng.random() < 0.5,
    }
    for name in ("at", "submitted", "correct"):
        _perhaps(rng, option, name, None)
    return option


def _perhaps(rng: random.Random, part: JsonObject, name: str, otherwise: None) -> None:
    """Leave something optional out, or null."""
    if rng.random() < 0.2:
        part[name] = otherwise
    if rng.random() < 0.2:
        del part[name]


def _break(rng: random.Random, message: JsonObject) -> None:
    """One value that is wrong, or at the edge of it."""
    part = rng.choice(list(_parts(message)))
    name = rng.choice([name for name in part if name != "user_exam_id"])  # a valid one may collide
    wrong = {"at": BAD_INSTANTS, "started_at": BAD_INSTANTS, "keen_timestamp": BAD_EPOCHS}
    choices = [None, "", " ", 0, -1, 2**63, 1.0, True, [], {}, *wrong.get(name, BAD_WHOLES)]
    if rng.random() < 0.2:
        del part[name]
    else:
        part[name] = rng.choice(choices)


def _parts(node: Any) -> Iterator[JsonObject]:
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node:
        if isinstance(inner, dict | list):
            yield from _parts(inner)


def _words(rng: random.Random) -> str:
    return "".join(rng.choices(LETTERS, k=rng.choice([0, 1, 3, 8, 30])))


def _junk(rng: random.Random, depth: int = 0) -> str:
    """Any JSON value; now and then near or beyond what the contract lets through."""
    kind = rng.random()
    if depth < 3 and kind < 0.2:
        return f"[{','.join(_junk(rng, depth + 1) for _ in range(rng.randrange(4)))}]"
    if depth < 3 and kind < 0.4:
        keys = [_quoted(rng, _words(rng)) for _ in range(rng.randrange(4))]
        return "{" + ",".join(f"{key}:{_junk(rng, depth + 1)}" for key in keys) + "}"
    if kind < 0.42:
        levels = rng.choice([50, 90, 94, 94, 96, 100, 200])
        return "[" * levels + "]" * levels
    if kind < 0.44:
        return "1." + "1" * rng.choice([50, 290, 298, 298, 299, 1_200])
    if kind < 0.45:
        return "{" + _quoted(rng, "k" * rng.choice([999, 1_000, 1_001])) + ":0}"
    if kind < 0.7:
        return rng.choice(NUMBERS)
    return rng.choice(["null", "true", "false", _quoted(rng, _words(rng))])


def _spelled(rng: random.Random, value: Any) -> str:
    """The text of a value: keys in any order, some twice, blanks and escapes anywhere."""
    if isinstance(value, _Spelled):
        return str(value)
    if isinstance(value, str):
        return _quoted(rng, value)
    if isinstance(value, list):
        return "[" + ",".join(_padded(rng, _spelled(rng, each)) for each in value) + "]"
    if not isinstance(value, dict):
        return json.dumps(value)
    entries = []
    for name in rng.sample(list(value), len(value)):
        if rng.random() < 0.02:
            entries.append((name, _junk(rng)))  # the later one counts
        entries.append((name, _spelled(rng, value[name])))
    pairs = (f"{_padded(rng, _quoted(rng, name))}:{_padded(rng, text)}" for name, text in entries)
    return "{" + ",".join(pairs) + "}"


def _padded(rng: random.Random, text: str) -> str:
    return f"{rng.choice(BLANKS)}{text}{rng.choice(BLANKS)}"


def _quoted(rng: random.Random, text: str) -> str:
    style = rng.random()
    if style < 0.4:
        return json.dumps(text, ensure_ascii=False)
    if style < 0.8:
        return json.dumps(text).replace("/", rng.choice(["/", "\\/"]))
    units = text.encode("utf-16-be")
    escapes = (units[at : at + 2].hex() for at in range(0, len(units), 2))
    return '"' + "".join(f"\\u{rng.choice([unit, unit.upper()])}" for unit in escapes) + '"'
