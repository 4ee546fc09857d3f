"""The fate of every message, told from landed lines and claims with `json` alone.

Independent of the project's code: nothing of `assess_assets` is imported here, nor in `oracle`.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

Json = Any

REQUIRED = {
    *("user_exam_id", "base_exam_id", "exam_name", "started_at", "sequences", "max_attempts"),
    *("certification", "keen_id", "keen_timestamp", "keen_created_at"),
}
RESULTS = ("correct", "missed_some", "incorrect", "unanswered")


@dataclass(frozen=True, order=True)
class Arrived:
    """One message; they sort in the order of arrival."""

    batch: int
    source: str
    partition: int
    offset: int
    text: str


# The lines of every landed file, which has one partition, and the messages of every topic's.
Logs = Mapping[tuple[str, int], Sequence[str]]


def arrived(logs: Logs, claims: Iterable[Mapping[str, Any]]) -> list[Arrived]:
    """The messages of all claimed batches."""
    return sorted(
        Arrived(claim["batch"], *source, offset, logs[source][offset])
        for claim in claims
        if claim["kind"] == "read"
        for source in [(claim["source"], claim["partition"])]
        for offset in range(claim["start_offset"], claim["end_offset"])
    )


@dataclass(frozen=True)
class Fated:
    """A message with its fate, and the earlier message that it refers to."""

    message: Arrived
    fate: str
    attempt: str | None = None
    first: Arrived | None = None
    body: Json = None


def fates_of(messages: Iterable[Arrived]) -> Iterable[Fated]:
    first: dict[str, dict[str, Arrived]] = defaultdict(dict)  # by attempt, by content
    for message in messages:
        body = body_of(message.text)
        if body is None:
            yield Fated(message, "quarantined")
            continue
        attempt, content = body["user_exam_id"], json.dumps(body, sort_keys=True)
        seen = first[attempt]
        if content in seen:
            yield Fated(message, "duplicate", attempt, seen[content], body)
        elif seen:
            yield Fated(message, "conflict", attempt, next(iter(seen.values())), body)
        else:
            yield Fated(message, "accepted", attempt, None, body)
        seen.setdefault(content, message)


@cache
def body_of(text: str) -> Json:
    """The message; None for one that the contract refuses (as far as deliveries break it)."""
    try:
        body = json.loads(text)
    except ValueError:
        return None
    if not isinstance(body, dict) or not body.keys() >= REQUIRED:
        return None
    questions = body["sequences"]["questions"]
    if any(question["user_result"] not in RESULTS for question in questions):
        return None
    return body


def sizes(body: Json) -> tuple[int, int]:
    questions = body["sequences"]["questions"]
    return len(questions), sum(len(question["options"]) for question in questions)
