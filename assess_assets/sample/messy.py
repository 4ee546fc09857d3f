"""A small delivery of the demo customer globex, messy on purpose, and what should become of it.

Belongs here: one example of every defect, duplicate and conflict that the pipeline must tell apart,
and the truth about each line. Does not: defects at random or at scale, and the clean sample.

It is synthetic, like the sample; only the names and ids of its exams are published facts.
"""

import copy
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from assess_assets.sample.defects import Fate
from assess_assets.sample.exams import exams
from assess_assets.sample.records import Form, JsonObject, attempt, make_form

CUSTOMER: Final = "globex"
DEFAULT_SEED: Final = 7
GOOD_ATTEMPTS: Final = 36
EXAM_NAMES: Final = (
    "Learning Git",
    "Learning SQL",
    "Introduction to Java 8",
    "Introduction to Apache Kafka",
)
FIRST_START: Final = int(datetime(2018, 2, 5, 8, tzinfo=UTC).timestamp()) * 1000
BETWEEN_STARTS: Final = 41 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the delivery; `kind` says what is special about it."""

    index: int
    kind: str
    fate: Fate
    text: str


def write_messy_delivery(path: Path, seed: int = DEFAULT_SEED) -> list[Line]:
    """Write the delivery as .ndjson and return the truth about its lines, in their order."""
    lines = messy_lines(seed)
    path.write_text("".join(f"{line.text}\n" for line in lines), encoding="utf-8", newline="\n")
    return lines


def messy_lines(seed: int = DEFAULT_SEED) -> list[Line]:
    """The same lines for the same seed; every copy and conflict comes after its original."""
    rng = random.Random(f"{seed}/messy")
    forms = _forms(rng)
    starts = iter(range(FIRST_START, FIRST_START + 1000 * BETWEEN_STARTS, BETWEEN_STARTS))

    def fresh(user_exam_id: str | None = None, form: Form | None = None) -> JsonObject:
        return attempt(rng, form or rng.choice(forms), next(starts), user_exam_id=user_exam_id)

    good = [fresh(form=forms[index % len(forms)]) for index in range(GOOD_ATTEMPTS)]
    drafts: list[tuple[str, Fate, str]] = [("good", "accepted", _dump(each)) for each in good]

    def insert(kind: str, fate: Fate, text: str, after: str | None = None) -> None:
        known = [draft[2] for draft in drafts]
        first = known.index(after) + 1 if after else 0
        drafts.insert(rng.randint(first, len(drafts)), (kind, fate, text))

    for kind, harmless in HARMLESS.items():
        insert(kind, "accepted", _dump(harmless(fresh())))
    for kind, damage in DAMAGES.items():
        insert(kind, "quarantined", damage(fresh()))

    copied, disputed = good[:5], good[5:7]
    for original in copied:
        insert("exact copy", "duplicate", _dump(original), after=_dump(original))
    reordered = good[7]
    insert(
        "copy, keys in another order", "duplicate", _dump(_reversed(reordered)), _dump(reordered)
    )
    conflicts = [_dump(fresh(each["user_exam_id"], _form_of(forms, each))) for each in disputed]
    for original, conflict in zip(disputed, conflicts, strict=True):
        insert("other content, same attempt", "conflict", conflict, after=_dump(original))
    insert("copy of a conflict", "duplicate", conflicts[0], after=conflicts[0])
    return [Line(index, *draft) for index, draft in enumerate(drafts)]


def _forms(rng: random.Random) -> list[Form]:
    by_name = {exam.name: exam for exam in exams()}
    return [
        make_form(rng, name, by_name[name].questions, by_name[name].base_exam_id)
        for name in EXAM_NAMES
    ]


def _form_of(forms: list[Form], record: JsonObject) -> Form:
    return next(form for form in forms if form.base_exam_id == record["base_exam_id"])


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _reversed(value: Any) -> Any:
    """The same content with the keys of every object in reverse order."""
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(item) for item in value] if isinstance(value, list) else value


def _with_unknown_keys(record: JsonObject) -> JsonObject:
    first = record["sequences"]["questions"][0]
    record["sequences"]["questions"][0] = first | {"weight": 2}
    return record | {"proctor": {"name": "none", "version": 3}}


def _with_contradicting_counts(record: JsonObject) -> JsonObject:
    reported = record["sequences"]["counts"]
    reported |= {"correct": reported["total"], "incorrect": 0, "all_correct": True}
    reported |= {"incomplete": 1, "unanswered": 0}
    return record


def _damaged(change: Callable[[JsonObject], object]) -> Callable[[JsonObject], str]:
    """A damage that changes the parsed message in place."""

    def damage(record: JsonObject) -> str:
        damaged = copy.deepcopy(record)
        change(damaged)
        return _dump(damaged)

    return damage


def _without_question_id(record: JsonObject) -> None:
    del record["sequences"]["questions"][1]["id"]


def _with_textual_checked(record: JsonObject) -> None:
    record["sequences"]["questions"][0]["options"][1]["checked"] = "yes"


HARMLESS: Final[dict[str, Callable[[JsonObject], JsonObject]]] = {
    "unknown keys at two levels": _with_unknown_keys,
    "counts contradict the detail": _with_contradicting_counts,
}
DAMAGES: Final[dict[str, Callable[[JsonObject], str]]] = {
    "not JSON": lambda _: "<html><body>502 Bad Gateway</body></html>",
    "truncated JSON": lambda record: _dump(record)[: len(_dump(record)) // 2],
    "top-level array": lambda record: _dump([record]),
    "question without id": _damaged(_without_question_id),
    "checked is a text": _damaged(_with_textual_checked),
    "unparseable started_at": _damaged(lambda record: record.update(started_at="yesterday")),
    "empty user_exam_id": _damaged(lambda record: record.update(user_exam_id="")),
    "no base_exam_id": _damaged(lambda record: record.pop("base_exam_id")),
}
