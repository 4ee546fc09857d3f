"""What a kind of bad input is, and the list that functions are put into.

Belongs here: the declaration. Does not: any kind (the other modules of this package).

A kind's function gets a good message of its own to damage. One that repeats gets an earlier message
of the customer too, which must be no other kind's earlier message.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from assess_assets.messages import Rule
from assess_assets.sample.records import JsonObject

Fate: TypeAlias = Literal["accepted", "duplicate", "conflict", "quarantined"]
Damage: TypeAlias = Callable[[random.Random, bytes, bytes], bytes]  # own and earlier message

WHOLE: Final = "$"


class Outcome(NamedTuple):
    """What must become of a message: its fate, and if it is refused, the rule and where."""

    fate: Fate
    rule: Rule | None = None
    path: str | None = None


ACCEPTED: Final = Outcome("accepted")


def refused(rule: Rule, path: str = WHOLE) -> Outcome:
    return Outcome("quarantined", rule, path)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of message. `is_large`: too large to be drawn at random by the thousand."""

    name: str
    meaning: str
    outcome: Outcome
    make: Damage
    repeats: Literal["", "message", "conflict"] = ""  # which earlier message it needs
    is_large: bool = False


class Kinds:
    """A list of kinds; each decorator makes one of a function, its name and its docstring."""

    def __init__(self) -> None:
        self._kinds: list[Kind] = []

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._kinds)

    def edit(self, outcome: Outcome) -> Callable[[Callable[[Any], object]], None]:
        """A function that changes the parsed message in place."""

        def declare(change: Callable[[Any], object]) -> None:
            def make(_: random.Random, own: bytes, __: bytes) -> bytes:
                record = json.loads(own)
                change(record)
                return dump(record)

            self._add(change, outcome, make)

        return declare

    def respell(
        self, outcome: Outcome, *, is_large: bool = False
    ) -> Callable[[Callable[[bytes], bytes]], None]:
        """A function that changes the bytes of the message."""

        def declare(change: Callable[[bytes], bytes]) -> None:
            def make(_: random.Random, own: bytes, __: bytes) -> bytes:
                return change(own)

            self._add(change, outcome, make, is_large=is_large)

        return declare

    def repeat(
        self, outcome: Outcome, of: Literal["message", "conflict"] = "message"
    ) -> Callable[[Damage], None]:
        """A function that makes a message that has to do with an earlier one."""

        def declare(make: Damage) -> None:
            self._add(make, outcome, make, repeats=of)

        return declare

    def _add(
        self, function: Callable[..., object], outcome: Outcome, make: Damage, **flags: Any
    ) -> None:
        name = function.__name__.strip("_").replace("_", " ")
        meaning = " ".join((function.__doc__ or "").split())
        self._kinds.append(Kind(name, meaning, outcome, make, **flags))


def dump(record: Any) -> bytes:
    """Compact JSON, as the source writes it. Allows the NaN that JSON does not know."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def questions(record: JsonObject) -> list[JsonObject]:
    found: list[JsonObject] = record["sequences"]["questions"]
    return found


def options(record: JsonObject) -> list[JsonObject]:
    """The options of the first question."""
    found: list[JsonObject] = questions(record)[0]["options"]
    return found


def counts(record: JsonObject) -> JsonObject:
    found: JsonObject = record["sequences"]["counts"]
    return found
