"""The messages of claimed ranges: what a claim knows, what is counted after landing, what is told.

Belongs here: the columns of source_ranges, in a lake without an engine. Does not: whole runs over a
topic (`services/test_kafka_runs.py`).
"""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from assess_assets.cli.history import history_of
from assess_assets.sources.ranges import SourceRange, lost_rest
from assess_assets.storage.claims import (
    claim_batch,
    claimed_batches,
    count_landed,
    give_up,
    unlanded,
)
from assess_assets.storage.delta import LostRace, Pin, pin
from assess_assets.storage.layout import LakeLayout
from assess_assets.tables.contract import TableContract
from assess_assets.tables.ingest import RAW_MESSAGES, SOURCE_RANGES

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TOPIC = SourceRange("assessments.acme", 0, 0, 10, None, None, "id", None, 20, None, "read", None)
FILE = SourceRange("it's.ndjson", 0, 0, 3, 0, 30, "sha", 50, 5, 0, "read", None)
REFUSED = replace(FILE, source="again.ndjson", kind="refused", note="has landed before")
LOST = replace(TOPIC, partition=1, kind="lost", note="retention")


class Acme:
    """The two tables of one customer."""

    def __init__(self, folder: Path) -> None:
        self.layout = LakeLayout.of(str(folder))

    def pin(self, table: TableContract) -> Pin:
        return pin(table, "acme", self.layout.uri(table, "acme"))

    def claim(self, *ranges: SourceRange) -> None:
        claims = self.pin(SOURCE_RANGES)
        claim_batch(claims, claimed_batches(claims), ranges, NOON, "run")

    def land(self, batch: int, claim: SourceRange, *offsets: int) -> None:
        raw = self.pin(RAW_MESSAGES)
        schema = pa.schema(raw.log.schema().to_arrow())
        where = {"source": claim.source, "partition": claim.partition, "batch": batch}
        rows = [{**where, "offset": offset, "ingested_at": NOON} for offset in offsets]
        write_deltalake(raw.uri, pa.Table.from_pylist(rows, schema=schema), mode="append")

    def count(self, upto: int = 1) -> None:
        count_landed(self.pin(SOURCE_RANGES), self.pin(RAW_MESSAGES), upto)

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        names = ", ".join(f'"{name}"' for name in columns)
        order = 'batch, source, "partition", start_offset'
        found = self.pin(SOURCE_RANGES).look_up(f"select {names} from pinned order by {order}")
        return [tuple(row.values()) for row in found]


@pytest.fixture
def acme(tmp_path: Path) -> Acme:
    return Acme(tmp_path)


def test_what_of_a_file_was_claimed_and_not_landed_is_given_up_in_one_commit(acme: Acme) -> None:
    rest = replace(FILE, start_offset=3, end_offset=5)
    acme.claim(FILE)
    acme.land(1, FILE, 0, 1, 2)
    acme.claim(rest, TOPIC)
    claims, raw = acme.pin(SOURCE_RANGES), acme.pin(RAW_MESSAGES)
    lost = lost_rest(rest, "the disk broke", [rest])
    give_up(claims, raw, claimed_batches(claims), [lost], NOON, "operator")
    assert acme.rows("batch", "source", "start_offset", "messages", "kind", "note", "run_id") == [
        (1, "it's.ndjson", 0, 3, "read", None, "run"),
        (2, "assessments.acme", 0, None, "read", None, "run"),
        (2, "it's.ndjson", 3, 0, "read", None, "run"),
        (3, "it's.ndjson", 3, 0, "lost", "the disk broke", "operator"),
    ]
    assert acme.pin(SOURCE_RANGES).version == claims.version + 1
    batches = claimed_batches(acme.pin(SOURCE_RANGES))
    assert [(left.number, left.ranges) for left in unlanded(batches, 1)] == [(2, (TOPIC,))]
    told = history_of(acme.layout, "acme")["batches"]
    spans = [(c["kind"], c["source"], c["messages"]) for one in told for c in one["ranges"]]
    assert spans == [
        ("read", "it's.ndjson", 3),
        ("read", "assessments.acme", None),
        ("read", "it's.ndjson", 0),
        ("lost", "it's.ndjson", 0),
    ]


def test_a_run_that_still_lands_what_is_given_up_makes_one_of_the_two_lose(acme: Acme) -> None:
    acme.claim(FILE)
    claims, raw = acme.pin(SOURCE_RANGES), acme.pin(RAW_MESSAGES)
    batches, lost = claimed_batches(claims), [lost_rest(FILE, "gone", [FILE])]
    acme.land(1, FILE, 0, 1, 2)  # after the decision
    with pytest.raises(LostRace):
        give_up(claims, raw, batches, lost, NOON, "operator")
    assert acme.rows("kind", "messages") == [("read", 3)]

    acme.claim(replace(FILE, source="b.ndjson"))
    claims, raw = acme.pin(SOURCE_RANGES), acme.pin(RAW_MESSAGES)
    other = [lost_rest(FILE, "gone")]
    give_up(claims, raw, claimed_batches(claims), other, NOON, "operator")
    assert acme.pin(RAW_MESSAGES).version > raw.version  # what a gate of a write finds


def test_a_claim_knows_the_messages_of_files_and_not_those_of_topics(acme: Acme) -> None:
    acme.claim(FILE, REFUSED, TOPIC, LOST)
    assert acme.rows("source", "partition", "messages") == [
        ("again.ndjson", 0, 0),
        ("assessments.acme", 0, None),
        ("assessments.acme", 1, 0),
        ("it's.ndjson", 0, 3),
    ]


def test_each_range_of_a_topic_is_counted_once_it_has_landed_and_nothing_else_changes(
    acme: Acme,
) -> None:
    again = replace(TOPIC, source="it's@again")
    acme.claim(TOPIC, replace(TOPIC, start_offset=10, end_offset=20), again)
    acme.claim(replace(TOPIC, partition=2))
    before = acme.rows(*(name for name in SOURCE_RANGES.column_names if name != "messages"))
    acme.land(1, TOPIC, 0, 2, 9, 10, 19)  # a gap wherever a transaction had its marker
    acme.land(1, again, 4)
    acme.count()
    after = acme.rows(*(name for name in SOURCE_RANGES.column_names if name != "messages"))
    assert after == before
    assert acme.rows("batch", "source", "start_offset", "messages") == [
        (1, "assessments.acme", 0, 3),
        (1, "assessments.acme", 10, 2),
        (1, "it's@again", 0, 1),
        (2, "assessments.acme", 0, None),
    ]
    version = acme.pin(SOURCE_RANGES).version
    acme.count()
    assert acme.pin(SOURCE_RANGES).version == version, "counted once"


def test_a_landed_range_without_any_message_has_none(acme: Acme) -> None:
    acme.claim(TOPIC, replace(TOPIC, partition=1))
    acme.land(1, TOPIC, 0)
    acme.count()
    assert acme.rows("partition", "messages") == [(0, 1), (1, 0)]


def test_a_batch_of_gaps_alone_has_landed_once_it_is_counted(acme: Acme) -> None:
    acme.claim(TOPIC)

    def left() -> list[int]:
        return [one.number for one in unlanded(claimed_batches(acme.pin(SOURCE_RANGES)), 0)]

    assert left() == [1]
    acme.count()
    assert acme.rows("messages") == [(0,)]
    assert left() == []


def test_a_count_over_a_claim_that_came_in_between_loses_the_race(acme: Acme) -> None:
    acme.claim(TOPIC)
    acme.land(1, TOPIC, 0)
    stale = acme.pin(SOURCE_RANGES)
    acme.claim(replace(TOPIC, partition=1))
    with pytest.raises(LostRace, match=r"acme, table source_ranges .* Run it again"):
        count_landed(stale, acme.pin(RAW_MESSAGES), 1)
    acme.count()
    assert acme.rows("partition", "messages") == [(0, 1), (1, None)]


def test_history_tells_each_range_of_a_file_its_own_messages(acme: Acme) -> None:
    rest = replace(FILE, start_offset=3, end_offset=5, start_byte=30, end_byte=50)
    acme.claim(FILE, rest)
    (waiting,) = history_of(acme.layout, "acme")["batches"]
    assert [claim["messages"] for claim in waiting["ranges"]] == [None, None]
    acme.land(1, FILE, 0, 1, 2, 3, 4)
    (batch,) = history_of(acme.layout, "acme")["batches"]
    assert [claim["messages"] for claim in batch["ranges"]] == [3, 2]
    assert batch["messages"] == 5
