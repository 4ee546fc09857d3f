"""Small deliveries of messages whose every part a test can name.

Belongs here: messages and files made of them. Does not: the sample and the messy delivery, which
are the package's own, and what becomes of a message.
"""

import json
import random
from collections.abc import Callable
from typing import Any

from assess_assets.sample.records import Form, JsonObject, attempt, make_form

START = 1_516_743_757_000  # 2018-01-23T21:42:37Z
FORM: Form = make_form(random.Random("form"), "Learning Git", 2)
OTHER_FORM: Form = make_form(random.Random("other form"), "Learning SQL", 3)


def message(name: str, version: int = 0, form: Form = FORM) -> JsonObject:
    """A message of the attempt called `name`; another version is another content for it."""
    rng = random.Random(f"{name}/{version}")
    return attempt(rng, form, START + rng.randrange(10**9), user_exam_id=name)


def changed(name: str, change: Callable[[JsonObject], object], version: int = 0) -> JsonObject:
    """`message` with something changed in place."""
    made = message(name, version)
    change(made)
    return made


def text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def lines(*messages: Any) -> str:
    """A file of lines; a text is taken as it is."""
    return "".join(f"{text(each)}\n" for each in messages)


def of_every_fate(prefix: str = "") -> list[Any]:
    """Three attempts, a duplicate, a conflict, its copy, and two messages that are refused."""
    a, b, c = (f"{prefix}{name}" for name in "abc")
    return [
        message(a),
        message(b),
        f"not JSON {prefix}",
        message(a),
        message(b, version=1),
        message(c, form=OTHER_FORM),
        message(b, version=1),
        {"user_exam_id": a},
    ]


FATES = [
    "accepted",
    "accepted",
    "quarantined",
    "duplicate",
    "conflict",
    "accepted",
    "duplicate",
    "quarantined",
]
