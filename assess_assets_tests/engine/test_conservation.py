"""No value of an accepted message is lost: a fuzz test that counts leaves on both sides.

Belongs here: the leaves of a message's JSON, by a plain Python oracle, and those of the typed
tables. Does not: what columns mean beyond the value itself (`test_attempts`), odd spellings
(`odd_messages`).

A null in an optional field is the same as leaving it out, and of a repeated key the last counts.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from assess_assets.messages import judge
from assess_assets_tests.odd_messages import odd_messages
from assess_assets_tests.steps import Steps

MESSAGES = 600
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Leaves = dict[str, tuple[str, Any]]  # by JSON path: the type and the value

TYPES: dict[str, set[str]] = {
    "": {"keen_timestamp", "keen_created_at", "keen_id", "max_attempts", "started_at",
         "base_exam_id", "user_exam_id", "exam_name", "sequences", "certification"},
    ".sequences": {"questions", "attempt", "id", "counts"},
    ".sequences.counts": {"incomplete", "submitted", "incorrect", "all_correct", "correct",
                          "total", "unanswered"},
    ".sequences.questions[]": {"id", "user_incomplete", "user_correct", "user_submitted",
                               "user_result", "options"},
    ".sequences.questions[].options[]": {"id", "checked", "at", "submitted", "correct"},
}  # fmt: skip


@dataclass
class Landed:
    texts: list[bytes]
    steps: Steps
    rules: dict[int, str | None]
    attempts: dict[int, dict[str, Any]]
    questions: dict[int, list[dict[str, Any]]]
    options: dict[int, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def landed(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Landed:
    """One run over all texts, as the elements of an array: elements keep their bytes."""
    texts = odd_messages(MESSAGES)
    steps = Steps(spark, tmp_path_factory.mktemp("conservation"))
    steps.land("a.json", b"[" + b",".join(texts) + b"]")
    steps.stop_before("exams")
    rules: dict[int, str | None] = {
        row["offset"]: row["rule"] for row in steps.rows("quarantined_messages", "offset", "rule")
    }
    made = Landed(texts, steps, rules, {}, {}, {})
    for row in steps.rows("assessments"):
        made.attempts[row["offset"]] = row
        made.questions[row["offset"]] = []
        made.options[row["offset"]] = []
    for table in ("questions", "options"):
        for row in steps.rows(table):
            getattr(made, table)[row["offset"]].append(row)
    return made


def test_validator_and_tables_agree_about_every_odd_message(landed: Landed) -> None:
    for offset, text in enumerate(landed.texts):
        verdict = judge(text.strip())
        assert landed.rules.get(offset) == verdict.rule, text
        if verdict.rule is None:
            row = landed.attempts[offset]
            assert row["user_exam_id"] == verdict.attempt_id, text
            assert len(landed.questions[offset]) == verdict.question_count, text
            assert len(landed.options[offset]) == verdict.option_count, text
    assert len(landed.attempts) + len(landed.rules) == MESSAGES
    assert min(len(landed.attempts), len(landed.rules)) > MESSAGES / 10, "it tries both"


def test_every_leaf_of_an_accepted_message_is_in_the_tables_or_unmapped(landed: Landed) -> None:
    counted = 0
    for offset, row in landed.attempts.items():
        sent = leaves_sent(json.loads(landed.texts[offset]))
        assert leaves_nested(row) == sent, landed.texts[offset]
        counted += len(sent)
    assert counted > 10 * len(landed.attempts)


def test_every_leaf_of_a_question_and_an_option_is_in_their_tables(landed: Landed) -> None:
    for offset, row in landed.attempts.items():
        nested = {
            path: value
            for path, value in leaves_nested(row | {"unmapped": None}).items()
            if ".questions[" in path
        }
        exploded = leaves_exploded(landed.questions[offset], landed.options[offset])
        assert exploded == nested, landed.texts[offset]


# What was sent


def leaves_sent(message: Any) -> Leaves:
    return dict(_sent(message, "$", ""))


def _sent(node: Any, path: str, general: str) -> Iterator[tuple[str, tuple[str, Any]]]:
    """Leaves of a known part; `general` is its path without indexes."""
    if isinstance(node, list):
        for index, each in enumerate(node):
            yield from _sent(each, f"{path}[{index}]", f"{general}[]")
        return
    if not isinstance(node, dict):
        if node is not None:
            yield from _typed(node, path, general.rpartition(".")[2])
        return
    for name, value in node.items():
        if name in TYPES[general]:
            yield from _sent(value, f"{path}.{name}", f"{general}.{name}")
        else:
            plain = re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name)
            step = f".{name}" if plain else f"[{json.dumps(name, ensure_ascii=False)}]"
            yield from _plain(value, f"unmapped {path}{step}")


def _typed(value: Any, path: str, name: str) -> Iterator[tuple[str, tuple[str, Any]]]:
    """A leaf as its column has it; what that can't hold, as a leaf of unmapped too."""
    if name in ("started_at", "at"):
        whole, digits, offset = re.fullmatch(r"([^.]*T[^.Z+-]*)(?:\.(\d+))?(.*)", value).groups()  # type: ignore[union-attr]
        digits = (digits or "").ljust(9, "0")
        micros = timedelta(microseconds=int(digits[:6]))
        yield path, ("time", datetime.fromisoformat(f"{whole}{offset}") + micros)
        if digits[6:].strip("0"):
            yield f"unmapped {path}", ("str", value)
    elif name in ("keen_timestamp", "keen_created_at"):
        yield path, ("decimal", Decimal(value))
    elif name == "max_attempts":
        yield path, ("float", float(value))
        if Decimal(str(float(value))) != Decimal(value):
            yield f"unmapped {path}", ("str", value)
    elif name == "certification":
        yield path, ("bool", value == "true")
    else:
        yield path, (type(value).__name__, value)


def _plain(node: Any, path: str) -> Iterator[tuple[str, tuple[str, Any]]]:
    """Leaves of a value that no contract knows; an empty container is one too."""
    if isinstance(node, dict) and node:
        for name, value in node.items():
            yield from _plain(value, f"{path}/{name!r}")
    elif isinstance(node, list) and node:
        for index, value in enumerate(node):
            yield from _plain(value, f"{path}/{index}")
    else:
        yield path, (type(node).__name__, node)


# What tables have


def leaves_nested(row: dict[str, Any]) -> Leaves:
    found: Leaves = {}
    for name in ("keen_id", "base_exam_id", "user_exam_id", "exam_name"):
        found[f"$.{name}"] = ("str", row[name])
    for name in ("keen_timestamp", "keen_created_at"):
        exact = row[f"{name}_seconds"]
        found[f"$.{name}"] = ("decimal", exact)
        assert (row[name] - EPOCH) // timedelta(microseconds=1) == int(exact * 1_000_000)
    found["$.started_at"] = ("time", row["started_at"])
    found["$.max_attempts"] = ("float", row["max_attempts"])
    found["$.certification"] = ("bool", row["certification"])
    found["$.sequences.id"] = ("str", row["sequences_id"])
    found["$.sequences.attempt"] = ("int", row["sequences_attempt"])
    for name in TYPES[".sequences.counts"]:
        value = row[f"reported_{name}"]
        found[f"$.sequences.counts.{name}"] = (type(value).__name__, value)
    for i, question in enumerate(row["questions"]):
        path = f"$.sequences.questions[{i}]"
        found |= _of_question(path, question, *(question[name] for name in ("id", "user_result")))
        for j, option in enumerate(question["options"]):
            found |= _of_option(f"{path}.options[{j}]", option, option["id"])
    for path, value in json.loads(row["unmapped"] or "{}").items():
        found |= dict(_plain(value, f"unmapped {path}"))
    return {path: leaf for path, leaf in found.items() if leaf[1] is not None or path[0] == "u"}


def leaves_exploded(questions: list[dict[str, Any]], options: list[dict[str, Any]]) -> Leaves:
    found: Leaves = {}
    for row in questions:
        path = f"$.sequences.questions[{row['position']}]"
        found |= _of_question(path, row, row["question_id"], row["result"])
    for row in options:
        path = f"$.sequences.questions[{row['question_position']}].options[{row['position']}]"
        found |= _of_option(path, row, row["option_id"])
    return {path: leaf for path, leaf in found.items() if leaf[1] is not None}


def _of_question(path: str, row: dict[str, Any], name: str, result: str) -> Leaves:
    flags = ("user_correct", "user_incomplete", "user_submitted")
    told: Leaves = {f"{path}.{flag}": ("bool", row[flag]) for flag in flags}
    return told | {f"{path}.id": ("str", name), f"{path}.user_result": ("str", result)}


def _of_option(path: str, row: dict[str, Any], name: str) -> Leaves:
    return {
        f"{path}.id": ("str", name),
        f"{path}.checked": ("bool", row["checked"]),
        f"{path}.correct": ("bool", row["correct"]),
        f"{path}.submitted": ("int", row["submitted"]),
        f"{path}.at": ("time", row["at"]),
    }
