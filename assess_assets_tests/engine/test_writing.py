"""One write and one claim: gated, bounded, made once; and steps that have nothing to write.

Belongs here: what a single commit promises. Does not: whole runs that crash or race
(`test_crashes_and_races.py`), and builds (`test_builds.py`).
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, QueryBuilder, Schema, write_deltalake
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import FractionalType, StructType

from assess_assets.assets.raw_messages import land_customer
from assess_assets.sample.records import JsonObject
from assess_assets.sources.ranges import LandedFileMissing, lost_rest
from assess_assets.storage.claims import claim_batch, claimed_batches, unlanded
from assess_assets.storage.delta import (
    LostRace,
    Pin,
    append_claim,
    committed,
    pin,
    pin_existing,
    replace,
    rows_after,
)
from assess_assets.storage.protocol import UpstreamNotReady
from assess_assets.tables.ingest import BUILDS, RAW_MESSAGES
from assess_assets.tables.registry import table_named
from assess_assets_tests.deliveries import changed, lines, message, of_every_fate
from assess_assets_tests.steps import CUSTOMER, MADE, NOON, WRITTEN, Steps, sample


@pytest.fixture
def acme(spark: SparkSession, tmp_path: Path) -> Steps:
    return Steps(spark, tmp_path / "acme")


def build_rows(spark: SparkSession, *numbers: int | None) -> DataFrame:
    rows = [(number, "test", 1, 1, None, 1, NOON, "run") for number in numbers]
    return spark.createDataFrame(rows, BUILDS.schema)


def fresh(acme: Steps) -> Pin:
    return pin(BUILDS, CUSTOMER, acme.uri("builds"))


def numbers(acme: Steps) -> list[int]:
    return acme.values("builds", "build")


@pytest.mark.both_engines
@pytest.mark.parametrize("rows", [[1], []], ids=["with rows", "with an empty frame"])
def test_a_stale_writer_is_refused(spark: SparkSession, acme: Steps, rows: list[int]) -> None:
    stale = fresh(acme)
    replace(fresh(acme), build_rows(spark, 1, 2), "true", {})
    with pytest.raises(LostRace, match=r"acme, table builds \(file://.*Run it again"):
        replace(stale, build_rows(spark, *rows), "build <= 2", {})
    assert numbers(acme) == [1, 2]


@pytest.mark.both_engines
def test_a_fresh_writer_replaces_the_rows_within_its_bounds_alone(
    spark: SparkSession, acme: Steps
) -> None:
    replace(fresh(acme), build_rows(spark, 1, 2, 3), "true", {})
    replace(fresh(acme), build_rows(spark, 2, 2), "build = 2", {})
    assert numbers(acme) == [1, 2, 2, 3]
    replace(fresh(acme), build_rows(spark), "build = 2", {})
    assert numbers(acme) == [1, 3]


@pytest.mark.both_engines
@pytest.mark.parametrize("outside", [1, 4, None])
def test_a_row_outside_the_bounds_fails_the_write(
    spark: SparkSession, acme: Steps, outside: int | None
) -> None:
    replace(fresh(acme), build_rows(spark, 1), "true", {})
    with pytest.raises(Exception, match="outside of its bounds: build > 1 and build <= 3"):
        replace(fresh(acme), build_rows(spark, 2, outside), "build > 1 and build <= 3", {})
    assert numbers(acme) == [1]


@pytest.mark.both_engines
def test_few_rows_make_one_file_however_many_partitions_they_are_in(
    spark: SparkSession, acme: Steps
) -> None:
    rows = build_rows(spark, *range(1, 41)).repartition(4)
    replace(fresh(acme), rows, "true", {})
    assert committed(fresh(acme)).files == 4
    replace(fresh(acme), rows, "true", {}, one_file=True)
    assert committed(fresh(acme)).files == 1
    assert numbers(acme) == [*range(1, 41)]
    with pytest.raises(LostRace):
        replace(pin_of_version(acme, 1), rows, "true", {}, one_file=True)


def pin_of_version(acme: Steps, version: int) -> Pin:
    uri = acme.uri("builds")
    return Pin(BUILDS, CUSTOMER, uri, version, DeltaTable(uri, version=version))


def test_a_small_batch_makes_one_file_a_table_and_the_log_knows_that_it_is_small(
    acme: Steps,
) -> None:
    acme.land("a.ndjson", lines(*of_every_fate(), *(message(f"more {n}") for n in range(40))))
    acme.run()
    files = {name: len(DeltaTable(acme.uri(name)).file_uris()) for name in ("raw_messages", *MADE)}
    assert set(files.values()) == {1}

    everything = committed(acme.lake.pin(RAW_MESSAGES, CUSTOMER)).rows
    acme.land("b.ndjson", lines(message("late")))
    acme.run()
    raw = acme.lake.pin(RAW_MESSAGES, CUSTOMER)
    assert [rows_after(raw, batch) for batch in (0, 1, 2)] == [everything + 1, 1, 0]


def test_a_commit_names_the_run_that_made_it(spark: SparkSession, acme: Steps) -> None:
    replace(fresh(acme), build_rows(spark, 1), "true", {"run_id": "r1"})
    log = str(DeltaTable(acme.uri("builds")).history(1)[0])
    assert "run_id" in log
    assert "r1" in log


def test_reading_stays_at_the_pinned_version(spark: SparkSession, acme: Steps) -> None:
    replace(fresh(acme), build_rows(spark, 1), "true", {})
    before = fresh(acme)
    frame = before.read(spark)
    replace(fresh(acme), build_rows(spark, 2), "true", {})
    assert [row.build for row in frame.collect()] == [1]
    assert before.look_up("select build from pinned") == [{"build": 1}]


@pytest.mark.both_engines
def test_what_is_alone_in_its_file_is_read_as_it_was_written(acme: Steps) -> None:
    """Sail 0.7.2 takes a value that a file has alone from the statistics, and parses fractions a
    last digit off: so their columns have none (`TableContract.ranged_columns`)."""
    _run_one_by_one(acme, 8)
    for name in filter(_fractions, WRITTEN):
        assert _fractions_read(acme, name) == acme.rows(name, *_fractions(name)), name


@pytest.mark.both_engines
def test_what_older_code_wrote_with_statistics_of_fractions_is_made_anew(acme: Steps) -> None:
    """Those are in the log as long as the file is, whatever the table is told now."""
    _run_one_by_one(acme, 8)
    expected = acme.rows("assessments", *_fractions("assessments"))
    stored = DeltaTable(acme.uri("assessments"))
    rows = pa.table(QueryBuilder().register("t", stored).execute("select * from t").read_all())
    every_column = ",".join(rows.column_names)
    stored.alter.set_table_properties({"delta.dataSkippingStatsColumns": every_column})
    for number in range(rows.num_rows):
        write_deltalake(stored, rows.slice(number, 1), mode="append" if number else "overwrite")
    DeltaTable(acme.uri("builds")).update({"code_version": "3"})

    acme.run()
    assert acme.values("builds", "build") == [1, 2]
    assert _fractions_read(acme, "assessments") == expected


def _run_one_by_one(acme: Steps, messages: int) -> None:
    for number in range(messages):
        sent = changed(f"alone {number}", _scored(4 + number, 43))
        sent["keen_timestamp"] = f"15168124{number}9.99924{number}"
        acme.land(f"{number}.ndjson", lines(sent))
        acme.run()


def _fractions(table: str) -> list[str]:
    return [c.name for c in table_named(table).columns if isinstance(c.type, FractionalType)]


def _fractions_read(acme: Steps, name: str) -> list[dict[str, Any]]:
    table = table_named(name)
    read = acme.lake.read(acme.lake.pin(table, CUSTOMER)).orderBy(*table.order)
    return [row.asDict() for row in read.select(*_fractions(name)).collect()]


def _scored(correct: int, total: int) -> Callable[[JsonObject], object]:
    return lambda sent: sent["sequences"]["counts"].update(correct=correct, total=total)


def test_columns_that_a_table_of_older_code_lacks_are_read_as_nulls(
    spark: SparkSession, acme: Steps
) -> None:
    fields = [field for field in BUILDS.schema if field.name != "policy_content"]
    DeltaTable.create(acme.uri("builds"), Schema.from_json(StructType(fields).json()))
    rows = build_rows(spark, 1).drop("policy_content")
    rows.write.format("delta").mode("append").save(acme.uri("builds"))
    older = pin_existing(BUILDS, CUSTOMER, acme.uri("builds"))
    assert older is not None
    assert older.read(spark).collect() == build_rows(spark, 1).collect()


def test_of_two_claimants_one_fails_and_nothing_is_damaged(acme: Steps) -> None:
    row = {"build": 1, "reason": "first", "contract_version": 1, "policy_version": 1}
    row |= {"code_version": 1, "claimed_at": NOON, "run_id": "a"}
    first, second = fresh(acme), fresh(acme)
    append_claim(first, [row])
    with pytest.raises(LostRace, match="another run claimed at the same time"):
        append_claim(second, [row | {"run_id": "b"}])
    assert acme.values("builds", "run_id") == ["a"]


def land(acme: Steps) -> Any:
    return land_customer(acme.lake, acme.sources, acme.max_messages, "run")


@pytest.mark.both_engines
def test_of_two_runs_that_claim_the_same_messages_one_fails(acme: Steps) -> None:
    acme.land("a.ndjson", lines(message("a")))
    other = Steps(acme.spark, acme.folder)

    def at_the_claim() -> Any:  # a run reads the clock after it has decided what to claim
        acme.now = lambda: NOON
        other.run()
        return NOON

    acme.now = at_the_claim
    with pytest.raises(LostRace):
        land(acme)
    assert acme.values("source_ranges", "batch") == [1]
    assert acme.values("raw_messages", "offset") == [0]


def test_a_claim_without_messages_is_landed_with_the_same_rows_before_another(acme: Steps) -> None:
    acme.land("a.ndjson", lines(*of_every_fate()))
    undisturbed = acme.copy(acme.folder.parent / "undisturbed")
    undisturbed.run()

    land(acme)  # claims batch 1, and crashes before its messages are written
    assert acme.values("source_ranges", "batch") == [1]
    assert acme.values("raw_messages", "offset") == []
    acme.land("b.ndjson", lines(message("later")))
    acme.now = lambda: NOON + timedelta(days=1)
    acme.run()

    raw = acme.rows("raw_messages")
    assert [row for row in raw if row["batch"] == 1] == undisturbed.rows("raw_messages")
    assert [(row["batch"], row["source"]) for row in raw if row["batch"] > 1] == [(2, "b.ndjson")]


def test_a_loss_that_is_accepted_does_not_hide_a_batch_without_messages(acme: Steps) -> None:
    acme.land("a.ndjson", lines(message("a")))
    claimed = land(acme).claim.target
    batches = claimed_batches(claimed)
    lost = lost_rest(batches[0].ranges[0], "accepted")
    batches.append(claim_batch(claimed, batches, [lost], NOON, "operator"))
    assert [batch.number for batch in unlanded(batches, 0)] == [1]
    assert unlanded(batches, 1) == []
    acme.run()
    assert acme.values("raw_messages", "batch") == [1]


def test_a_claimed_batch_whose_file_is_gone_stops_the_customer(acme: Steps) -> None:
    path = acme.land("a.ndjson", lines(message("a")))
    land(acme)
    path.unlink()
    with pytest.raises(Exception, match=r"a\.ndjson is gone") as failed:
        acme.run()
    assert LandedFileMissing.__name__ in str(failed.value) or isinstance(
        failed.value, LandedFileMissing
    )
    assert acme.values("source_ranges", "batch") == [1]


def test_a_run_with_nothing_new_claims_and_writes_nothing(after_a_run: Steps) -> None:
    before = after_a_run.versions()
    assert after_a_run.run() == ["source_ranges", "builds"]
    assert after_a_run.versions() == before


@pytest.mark.parametrize(
    "content",
    [lines("{"), lines(changed("a", lambda made: made["sequences"].update(questions=[])))],
)
def test_nothing_is_written_twice_although_nothing_can_be_exploded(
    acme: Steps, content: str
) -> None:
    acme.land("a.ndjson", content)
    acme.run()
    before = acme.versions()
    acme.run()
    assert acme.versions() == before


def test_a_batch_of_copies_explodes_nothing_and_is_counted(acme: Steps) -> None:
    acme.land("a.ndjson", lines(message("a")))
    acme.run()
    before = acme.versions()
    acme.land("b.ndjson", lines(message("a"), message("a")))
    acme.run()
    after = acme.versions()
    assert (after["questions"], after["options"]) == (before["questions"], before["options"])
    assert acme.rows("exam_counts", "messages", "attempts") == [{"messages": 3, "attempts": 1}]
    assert acme.rows("exam_counts", "build", "batch") == [{"build": 1, "batch": 2}]


@pytest.mark.parametrize("table", sample(MADE))
def test_a_table_that_was_emptied_by_hand_is_made_again(after_a_run: Steps, table: str) -> None:
    before = after_a_run.all_rows()
    after_a_run.empty(table)
    assert after_a_run.rows(table) == []
    after_a_run.run()
    assert after_a_run.all_rows() == before


def test_raw_messages_emptied_by_hand_are_landed_again_and_never_lost_further(acme: Steps) -> None:
    for name in ("a", "b"):
        acme.land(f"{name}.ndjson", lines(*of_every_fate(name)))
        acme.run()
    before = acme.all_rows()
    acme.empty("raw_messages")
    with pytest.raises(UpstreamNotReady, match="Messages were taken away"):
        list(acme.parse())
    acme.run()
    assert acme.all_rows() == before


def test_aggregates_wait_for_the_questions_of_every_attempt(acme: Steps) -> None:
    acme.land("a.ndjson", lines(message("a")))
    assert acme.stop_before("questions") == "questions"
    with pytest.raises(
        UpstreamNotReady, match="table questions ends at batch 0, and attempts at 1"
    ):
        list(acme.aggregate_named("question_difficulty"))
    assert acme.rows("question_difficulty") == []


def test_claims_are_read_in_utc_whatever_the_time_zone_of_the_machine(
    acme: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    acme.land("a.ndjson", lines(message("a")))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        claimed = claimed_batches(land(acme).claim.target)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert claimed[0].claimed_at == NOON
    assert claimed[0].ranges[0].source_timestamp_ms == NOON.timestamp() * 1000
