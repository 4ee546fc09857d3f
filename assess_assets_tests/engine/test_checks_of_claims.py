"""Checks of what everything starts from: each damage to claims and builds is found.

And no loss that was accepted, nor a source that is read piece by piece, is taken for damage.

`failing_rows` also compares the engine's answer with DuckDB's, where people run the query.
"""

from dataclasses import replace as altered
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from assess_assets.sources.ranges import SourceRange, lost_rest
from assess_assets.storage.claims import claim_batch, claimed_batches
from assess_assets.tables.ingest import SOURCE_RANGES
from assess_assets_tests.damage import Damaged, Row
from assess_assets_tests.deliveries import lines, of_every_fate
from assess_assets_tests.steps import CUSTOMER, NOON, Steps

FOLLOW = "claims_follow_each_other"
BATCHES = "batches_follow_each_other"
TOPICS = "topics_are_the_customers_own"
LATER = datetime(2030, 1, 1, tzinfo=UTC)
PIECES = 3  # of the file: batches 2 to 4 of those below


@pytest.fixture(scope="module")
def read_in_pieces(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Steps:
    """A file that is read whole, one that is read in three batches, and a copy of the first."""
    steps = Steps(spark, tmp_path_factory.mktemp("pieces"))
    steps.land("a.ndjson", lines(*of_every_fate()))
    steps.judge()
    steps.max_messages = 3
    steps.land("long.ndjson", lines(*of_every_fate("long")))
    for _ in range(PIECES):
        steps.judge()
    steps.land("copy.ndjson", lines(*of_every_fate()))
    steps.judge()
    return steps


@pytest.fixture
def pieces(read_in_pieces: Steps, tmp_path: Path, spark: SparkSession) -> Damaged:
    return Damaged.copy_of(read_in_pieces.folder / "lake", tmp_path / "lake", spark, CUSTOMER)


def failed(damaged: Damaged, table: str, name: str) -> list[Row]:
    """The rows that the check's query lists; the verdict says the same of them."""
    verdict = damaged.verdicts(table)[name]
    assert verdict.blocking
    rows = [] if verdict.passed else damaged.failing_rows(table, name)
    assert verdict.metadata.get("failing_rows", 0) == len(rows)
    return rows


@pytest.mark.both_engines
def test_a_source_that_was_read_in_pieces_is_sound(pieces: Damaged) -> None:
    assert [row["kind"] for row in pieces.rows("source_ranges")] == ["read"] * 4 + ["refused"]
    for name in (FOLLOW, BATCHES):
        assert failed(pieces, "source_ranges", name) == []


# Of the second piece of the file; and which rows tell it.
WRONG: list[tuple[Row, list[tuple[int, str]]]] = [
    ({"start_offset": 4}, [(3, "start_offset")]),
    ({"start_offset": 2}, [(3, "start_offset")]),
    ({"end_offset": 5}, [(4, "start_offset")]),
    ({"end_offset": 99}, [(3, "end_offset"), (4, "start_offset")]),
    ({"start_byte": 1}, [(3, "start_byte")]),
    ({"start_byte": None}, [(3, "start_byte, end_byte")]),
    ({"end_byte": 10**9}, [(3, "end_byte"), (4, "start_byte")]),
    ({"identity": "0" * 64}, [(each, "identity") for each in (2, 3, 4)]),
    ({"identity": "bogus"}, [(each, "identity") for each in (2, 3, 4)]),
    ({"size_bytes": 10**9}, [(each, "size_bytes") for each in (2, 3, 4)]),
    ({"source_end_offset": 9}, [(each, "source_end_offset") for each in (2, 3, 4)]),
    ({"source_timestamp": LATER}, [(each, "source_timestamp") for each in (2, 3, 4)]),
]


@pytest.mark.parametrize(("wrong", "told"), WRONG)
def test_a_claim_that_does_not_follow_the_one_before_it(
    wrong: Row, told: list[tuple[int, str]], pieces: Damaged
) -> None:
    pieces.change("source_ranges", 2, **wrong)
    rows = failed(pieces, "source_ranges", FOLLOW)
    assert sorted((row["batch"], row["differs"]) for row in rows) == told


@pytest.mark.parametrize(
    ("wrong", "differs"),
    [
        ({"identity": "bogus"}, "identity"),
        ({"size_bytes": 7}, "end_byte"),
        ({"start_offset": 1}, "start_offset"),
    ],
)
def test_a_claim_that_is_alone(wrong: Row, differs: str, pieces: Damaged) -> None:
    pieces.change("source_ranges", 0, **wrong)
    (row,) = failed(pieces, "source_ranges", FOLLOW)
    assert (row["source"], row["differs"]) == ("a.ndjson", differs)


@pytest.mark.both_engines
def test_a_claim_that_is_gone_from_the_middle(pieces: Damaged) -> None:
    pieces.delete("source_ranges", "batch = 3")
    (row,) = failed(pieces, "source_ranges", FOLLOW)
    assert (row["batch"], row["differs"]) == (4, "start_offset, start_byte")
    (row,) = failed(pieces, "source_ranges", BATCHES)
    assert (row["batch"], row["previous_batch"]) == (4, 2)


@pytest.mark.parametrize("wrong", [{"run_id": "another"}, {"claimed_at": LATER}])
def test_a_batch_that_two_runs_claimed(wrong: Row, pieces: Damaged) -> None:
    other = "x" + pieces.rows("source_ranges")[4]["identity"][1:]
    pieces.repeat("source_ranges", 4, source="x.ndjson", identity=other, **wrong)
    (row,) = failed(pieces, "source_ranges", BATCHES)
    assert (row["batch"], row["ranges"], max(row["runs"], row["times"])) == (5, 2, 2)


def topic(start: int, end: int, kind: str = "read", **values: object) -> SourceRange:
    made = SourceRange(
        source="assessments.acme",
        partition=0,
        start_offset=start,
        end_offset=end,
        start_byte=None,
        end_byte=None,
        identity="a topic's id",
        size_bytes=None,
        source_end_offset=max(end, 50),
        source_timestamp_ms=None,
        kind=kind,  # type: ignore[arg-type]
        note=None,
    )
    return altered(made, **values)  # type: ignore[arg-type]


@pytest.mark.both_engines
def test_no_loss_that_was_accepted_is_taken_for_damage(pieces: Damaged) -> None:
    """Of a topic: before a range, within one that never landed, of all there was; and again."""

    def claim(*ranges: SourceRange) -> None:
        claims = pieces.lake.pin(SOURCE_RANGES, CUSTOMER)
        claim_batch(claims, claimed_batches(claims), ranges, NOON, "run")

    claim(topic(5, 9), topic(3, 3, partition=1))
    claim(topic(9, 20, "lost"))
    claim(topic(20, 30), topic(3, 8, partition=1), topic(0, 4, partition=2))
    claim(topic(20, 25, "lost"))
    claim(topic(30, 31))
    claim(lost_rest(topic(30, 31), "gone"))
    claim(topic(0, 0, "lost", source="assessments.acme@other", identity="other"))
    claim(topic(0, 7, source="assessments.acme@other", identity="other", partition=1))
    for name in (FOLLOW, BATCHES, TOPICS):
        assert failed(pieces, "source_ranges", name) == []


@pytest.mark.both_engines
def test_claims_of_the_topic_of_another_customer(pieces: Damaged) -> None:
    others = ("assessments.globex", "assessments.acme2", "assessments.acm_65@again")
    for batch, source in enumerate(others):
        pieces.repeat("source_ranges", 0, source=source, batch=6 + batch, size_bytes=None)
    rows = failed(pieces, "source_ranges", TOPICS)
    assert sorted(row["source"] for row in rows) == sorted(others)


@pytest.mark.both_engines
def test_builds_whose_versions_go_back(pieces: Damaged) -> None:
    pieces.repeat("builds", 0, build=2, contract_version=99)
    pieces.repeat("builds", 0, build=3, contract_version=99)
    assert failed(pieces, "builds", "builds_follow_each_other") == []
    for column in ("policy_version", "code_version", "contract_version"):
        before = pieces.change("builds", 2, **{column: 0})
        (row,) = failed(pieces, "builds", "builds_follow_each_other")
        assert (row["build"], row[column]) == (3, 0)
        pieces.change("builds", 2, **{column: before[column]})


@pytest.mark.both_engines
def test_messages_that_another_contract_refused_than_their_builds(pieces: Damaged) -> None:
    name = "messages_are_refused_by_the_contract_of_their_build"
    assert failed(pieces, "quarantined_messages", name) == []
    refused = pieces.rows("quarantined_messages")
    pieces.change("quarantined_messages", 1, contract_version=99)
    (row,) = failed(pieces, "quarantined_messages", name)
    assert (row["offset"], row["contract_version"]) == (refused[1]["offset"], 99)
    pieces.change("builds", 0, contract_version=99)
    assert len(failed(pieces, "quarantined_messages", name)) == len(refused) - 1
