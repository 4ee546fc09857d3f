"""Kinds that have to do with an earlier message of the same customer: copies and conflicts.

Belongs here: what is made of an earlier message. Does not: which one (`load` chooses).
"""

import json
import random
from typing import Any, Final

from assess_assets.sample.defects.kinds import ACCEPTED, Kinds, Outcome, dump

KINDS: Final = Kinds()
DUPLICATE: Final = Outcome("duplicate")
CONFLICT: Final = Outcome("conflict")
LOOK_ALIKE: Final = str.maketrans("ace", "асе")  # Latin to Cyrillic


@KINDS.repeat(DUPLICATE)
def copy(_: random.Random, own: bytes, earlier: bytes) -> bytes:
    """The same bytes again."""
    return earlier


@KINDS.repeat(DUPLICATE)
def copy_in_another_spelling(_: random.Random, own: bytes, earlier: bytes) -> bytes:
    """The same content with keys in another order, white space and escapes."""
    return json.dumps(_reversed(json.loads(earlier))).encode()


@KINDS.repeat(CONFLICT)
def attempt_id_reused(_: random.Random, own: bytes, earlier: bytes) -> bytes:
    """Another content for an attempt that is known."""
    return dump(json.loads(own) | {"user_exam_id": _id(earlier)})


@KINDS.repeat(CONFLICT)
def attempt_with_one_value_changed(_: random.Random, own: bytes, earlier: bytes) -> bytes:
    """However little differs."""
    record = json.loads(earlier)
    return dump(record | {"max_attempts": "2.0"})


@KINDS.repeat(DUPLICATE, of="conflict")
def copy_of_a_conflict(_: random.Random, own: bytes, earlier: bytes) -> bytes:
    """The other content once more."""
    return earlier


@KINDS.repeat(ACCEPTED)
def look_alike_attempt_id(_: random.Random, own: bytes, earlier: bytes) -> bytes:
    """Letters of another script: another attempt."""
    return dump(json.loads(own) | {"user_exam_id": f"а{_id(earlier).translate(LOOK_ALIKE)}"})


@KINDS.repeat(ACCEPTED)
def attempt_id_in_another_case(_: random.Random, own: bytes, earlier: bytes) -> bytes:
    """Upper case: another attempt."""
    return dump(json.loads(own) | {"user_exam_id": f"A{_id(earlier).upper()}"})


@KINDS.repeat(ACCEPTED)
def attempt_id_with_a_blank(_: random.Random, own: bytes, earlier: bytes) -> bytes:
    """A blank or an invisible character behind it: another attempt."""
    return dump(json.loads(own) | {"user_exam_id": f"{_id(earlier)} \u200b"})


@KINDS.repeat(ACCEPTED)
def attempt_id_composed_otherwise(_: random.Random, own: bytes, earlier: bytes) -> bytes:
    """One letter é, or e and an accent: ids are compared as they are, not normalized."""
    return dump(json.loads(own) | {"user_exam_id": f"{_id(earlier)}e\u0301"})


def _id(message: bytes) -> str:
    found: str = json.loads(message)["user_exam_id"]
    return found


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(item) for item in value] if isinstance(value, list) else value
