"""Every kind of bad or odd input through the whole pipeline: its fate, its rule, its JSON path.

Belongs here: one run over all kinds, whole files too, and one test per kind on what it left. Does
not: the verdicts alone (`unit/test_messages`), many messages (`test_load_with_known_truth`).
"""

import random
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from pyspark.sql import SparkSession

from assess_assets.sample.defects import FILE_KINDS, KINDS, FileKind, Kind, Outcome
from assess_assets.sample.defects.kinds import dump
from assess_assets_tests.deliveries import message
from assess_assets_tests.steps import Steps

FILE = "kinds.ndjson"
Place = tuple[str, int]


@dataclass
class Delivered:
    """What was landed, and what a run made of it."""

    steps: Steps
    places: dict[str, Place] = field(default_factory=dict)  # of a message of each kind
    good: set[Place] = field(default_factory=set)
    outcomes: dict[Place, Outcome] = field(default_factory=dict)


@pytest.fixture(scope="module")
def delivered(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    """A file of all kinds of messages, files of all kinds, good messages between: one whole run."""
    made = Delivered(Steps(spark, tmp_path_factory.mktemp("bad")))
    names = (f"attempt-{number}-ace" for number in count())
    rng = random.Random("bad input")
    lines: list[bytes] = []
    for kind in KINDS:
        earlier = dump(message(next(names)))
        made.good.add((FILE, len(lines)))
        lines.append(earlier)
        if kind.repeats == "conflict":
            earlier = dump(message("x") | {"user_exam_id": f"attempt-{len(made.good) - 1}-ace"})
            lines.append(earlier)
        made.places[kind.name] = (FILE, len(lines))
        lines.append(kind.make(rng, dump(message(f"own-{kind.name}")), earlier))
    made.steps.land(FILE, b"\n".join(lines))
    for each in FILE_KINDS:
        content = each.make(dump(message(next(names))), dump(message(next(names))))
        made.steps.land(file_name(each), content)
    made.steps.run()
    made.outcomes = outcomes_of(made.steps)
    return made


def file_name(kind: FileKind) -> str:
    return f"{kind.name}.{kind.suffix}"


def outcomes_of(steps: Steps) -> dict[Place, Outcome]:
    columns = ("source", "offset", "rule", "json_path")
    rows = steps.rows("quarantined_messages", *columns)
    why = {(row["source"], row["offset"]): (row["rule"], row["json_path"]) for row in rows}
    return {
        (source, offset): Outcome(fate, *why.get((source, offset), (None, None)))
        for source, offset, fate in (
            tuple(row.values()) for row in steps.rows("message_ledger", "source", "offset", "fate")
        )
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_message_of_each_kind_gets_its_fate_rule_and_path(
    delivered: Delivered, kind: Kind
) -> None:
    assert delivered.outcomes[delivered.places[kind.name]] == kind.outcome


@pytest.mark.parametrize("kind", FILE_KINDS, ids=lambda kind: kind.name)
def test_each_message_of_a_file_of_each_kind_gets_its_fate_rule_and_path(
    delivered: Delivered, kind: FileKind
) -> None:
    name = file_name(kind)
    found = [each for place, each in sorted(delivered.outcomes.items()) if place[0] == name]
    assert found == list(kind.outcomes)


def test_no_kind_stops_a_good_message(delivered: Delivered) -> None:
    assert {delivered.outcomes[place] for place in delivered.good} == {Outcome("accepted")}


def test_every_message_has_one_fate_and_no_more(delivered: Delivered) -> None:
    raw = delivered.steps.rows("raw_messages", "source", "offset")
    assert [tuple(row.values()) for row in raw] == sorted(delivered.outcomes)
    accepted = {
        (row["source"], row["offset"])
        for row in delivered.steps.rows("assessments", "source", "offset")
    }
    fates = delivered.outcomes.items()
    assert accepted == {place for place, outcome in fates if outcome.fate == "accepted"}


def test_look_alike_ids_are_attempts_of_their_own(delivered: Delivered) -> None:
    ids: dict[Place, Any] = {
        (row["source"], row["offset"]): row["user_exam_id"]
        for row in delivered.steps.rows("assessments", "source", "offset", "user_exam_id")
    }
    file, offset = delivered.places["look alike attempt id"]
    assert (ids[file, offset - 1][-3:], ids[file, offset][-3:]) == ("ace", "асе")
    assert len(set(ids.values())) == len(ids)


def test_of_a_bomb_no_more_is_kept_than_the_limit(delivered: Delivered) -> None:
    sizes = {
        kind.name: max(
            len(row["value"])
            for row in delivered.steps.rows("raw_messages", "source", "value")
            if row["source"] == file_name(kind)
        )
        for kind in FILE_KINDS
        if kind.is_large
    }
    assert sizes == {"zip bomb": 1024**2, "zip bomb on one line": 64 * 1024**2}


def test_quarantine_keeps_the_bytes(delivered: Delivered) -> None:
    raw = {
        (row["source"], row["offset"]): row["value"]
        for row in delivered.steps.rows("raw_messages", "source", "offset", "value")
    }
    kept = delivered.steps.rows("quarantined_messages", "source", "offset", "value")
    assert len(kept) > 60
    assert all(row["value"] == raw[row["source"], row["offset"]] for row in kept)
