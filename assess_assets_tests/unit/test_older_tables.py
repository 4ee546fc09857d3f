"""Tables that older code made get what their contract has had since, once and without a rewrite."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, Schema, write_deltalake
from pyspark.sql.types import StructType

from assess_assets.cli.history import history_of
from assess_assets.storage.delta import Pin, pin, pin_existing
from assess_assets.storage.layout import LakeLayout
from assess_assets.storage.older_tables import brought_up_to_date
from assess_assets.storage.sandbox import customer_sql, query
from assess_assets.tables.attempts import ASSESSMENTS
from assess_assets.tables.ingest import SOURCE_RANGES

CLAIM = {
    "batch": 1,
    "source": "a.ndjson",
    "partition": 0,
    "start_offset": 0,
    "end_offset": 3,
    "identity": "sha",
    "source_end_offset": 3,
    "kind": "read",
    "claimed_at": datetime(2026, 1, 1, 12, tzinfo=UTC),
    "run_id": "run",
}
STATISTICS = "delta.dataSkippingStatsColumns"


def older(folder: Path, without: str) -> str:
    """The table as code made it that did not know of one column."""
    uri = LakeLayout.of(str(folder)).uri(SOURCE_RANGES, "acme")
    fields = [field for field in SOURCE_RANGES.schema if field.name != without]
    log = DeltaTable.create(uri, Schema.from_json(StructType(fields).json()))
    rows: list[dict[str, Any]] = [CLAIM]
    schema = pa.schema(log.schema().to_arrow())
    write_deltalake(uri, pa.Table.from_pylist(rows, schema=schema), mode="append")
    return uri


def pinned(uri: str) -> Pin:
    return pin(SOURCE_RANGES, "acme", uri)


def columns(uri: str) -> list[str]:
    return [field.name for field in DeltaTable(uri).schema().fields]


def test_a_column_that_may_be_null_is_added_and_rows_stay(tmp_path: Path) -> None:
    uri = older(tmp_path, without="messages")
    files = DeltaTable(uri).file_uris()
    found = pinned(uri)
    assert set(columns(uri)) == set(SOURCE_RANGES.column_names)
    told = found.look_up("select source, end_offset, messages from pinned")
    assert told == [{"source": "a.ndjson", "end_offset": 3, "messages": None}]
    assert DeltaTable(uri).file_uris() == files
    assert "batch" in DeltaTable(uri).metadata().configuration[STATISTICS].split(",")


def test_a_table_is_brought_up_to_date_once(tmp_path: Path) -> None:
    uri = older(tmp_path, without="messages")
    version = pinned(uri).version
    assert pinned(uri).version == version == DeltaTable(uri).version()


def test_a_new_table_needs_nothing(tmp_path: Path) -> None:
    assert pinned(LakeLayout.of(str(tmp_path)).uri(SOURCE_RANGES, "acme")).version == 0


def test_of_two_that_bring_it_up_to_date_at_once_both_go_on(tmp_path: Path) -> None:
    uri = older(tmp_path, without="messages")
    first, second = DeltaTable(uri), DeltaTable(uri)
    done = brought_up_to_date(first, SOURCE_RANGES).version()
    assert brought_up_to_date(second, SOURCE_RANGES).version() == done


def test_a_table_that_lacks_what_must_be_filled_is_left_to_the_check(tmp_path: Path) -> None:
    uri = older(tmp_path, without="identity")
    pinned(uri)
    assert "identity" not in columns(uri)


def test_who_only_looks_finds_nulls_and_changes_nothing(tmp_path: Path) -> None:
    uri = older(tmp_path, without="messages")
    version = DeltaTable(uri).version()
    found = pin_existing(SOURCE_RANGES, "acme", uri)
    assert found is not None
    wanted = "select source, messages from {} where messages is null order by batch, messages"
    assert found.look_up(wanted.format("pinned")) == [{"source": "a.ndjson", "messages": None}]
    with customer_sql(LakeLayout.of(str(tmp_path)), "acme") as session:
        rows = query(session, wanted.format("source_ranges"))
    assert rows.to_pylist() == [{"source": "a.ndjson", "messages": None}]
    assert rows.schema.field("messages").type == pa.int64()
    assert DeltaTable(uri).version() == version


def test_the_history_of_a_lake_that_older_code_made_is_shown(tmp_path: Path) -> None:
    older(tmp_path, without="messages")
    told = history_of(LakeLayout.of(str(tmp_path)), "acme")
    assert [batch["ranges"][0]["identity"] for batch in told["batches"]] == ["sha"]


def test_older_code_takes_back_nothing_that_newer_code_asked_for(tmp_path: Path) -> None:
    uri = LakeLayout.of(str(tmp_path)).uri(SOURCE_RANGES, "acme")
    version = pinned(uri).version
    older_code = replace(SOURCE_RANGES, columns=SOURCE_RANGES.columns[:-1])
    assert brought_up_to_date(DeltaTable(uri), older_code).version() == version


def test_columns_that_are_to_have_no_statistics_any_more_lose_them(tmp_path: Path) -> None:
    uri = LakeLayout.of(str(tmp_path)).uri(ASSESSMENTS, "acme")
    DeltaTable.create(
        uri,
        Schema.from_json(ASSESSMENTS.schema.json()),
        configuration={STATISTICS: "batch,score,keen_timestamp_seconds,asked_for_by_newer_code"},
    )
    found = pin(ASSESSMENTS, "acme", uri)
    listed = found.log.metadata().configuration[STATISTICS].split(",")
    assert set(listed) == {*ASSESSMENTS.ranged_columns, "asked_for_by_newer_code"}
    assert not {"score", "keen_timestamp_seconds"} & set(listed)
    assert pin(ASSESSMENTS, "acme", uri).version == found.version
