"""The main job: landed files become tables, exactly once."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from assess_assets.checks.registry import CHECKED_TABLES
from assess_assets.sample.messy import messy_lines
from assess_assets.tables.registry import table_named
from assess_assets_tests.conftest import Platform
from assess_assets_tests.deliveries import lines

GLOBEX = "globex"
LINES = messy_lines()
# What a materialization of any table says, beside what it says of its own.
TOLD = {
    "dagster/partition_row_count",
    "dagster/uri",
    "table_version",
    "size_bytes",
    "changed",
    "preview",
}


@dataclass
class Delivered:
    platform: Platform
    run: dg.ExecuteInProcessResult


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Iterator[Delivered]:
    """The messy delivery, run once; its tests change nothing."""
    with dg.DagsterInstance.ephemeral() as instance:
        platform = Platform(tmp_path_factory.mktemp("delivered"), instance)
        platform.land(GLOBEX, "delivery.ndjson", lines(*(line.text for line in LINES)))
        run = platform.materialize(GLOBEX)
        assert run.success
        yield Delivered(platform, run)


def test_every_message_of_a_messy_delivery_has_the_fate_it_was_made_for(
    delivered: Delivered,
) -> None:
    rows = delivered.platform.rows
    ledger = rows("message_ledger", GLOBEX, "offset", "fate")
    assert [row["fate"] for row in ledger] == [line.fate for line in LINES]
    fates = Counter(line.fate for line in LINES)
    assert len(rows("assessments", GLOBEX, "offset")) == fates["accepted"]
    assert len(rows("quarantined_messages", GLOBEX, "offset")) == fates["quarantined"]
    assert len(rows("conflicting_assessments", GLOBEX, "offset")) == fates["conflict"]


@pytest.mark.parametrize("table", [table.name for table in CHECKED_TABLES])
def test_a_materialization_says_where_its_rows_are_and_shows_some(
    table: str, delivered: Delivered
) -> None:
    (event,) = (
        event.materialization
        for event in delivered.run.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(table)
    )
    assert event.partition == GLOBEX
    assert event.metadata.keys() >= TOLD
    told, uri = event.metadata, str(event.metadata["dagster/uri"].value)
    folder = "_platform" if table_named(table).shared else GLOBEX
    assert uri == f"file://{delivered.platform.settings.lake}/{folder}/{table}"
    assert told["changed"].value is True
    assert told["table_version"].value == DeltaTable(uri).version()
    assert told["size_bytes"].value == sum(
        DeltaTable(uri).get_add_actions()["size_bytes"].to_pylist()
    )
    assert told["dagster/partition_row_count"].value == DeltaTable(uri).count()
    personal = {column.name for column in table_named(table).columns if column.personal}
    assert not personal & set(str(told["preview"].value).split("\n")[0].split())


def test_raw_messages_keep_the_bytes(delivered: Delivered) -> None:
    raw = delivered.platform.rows("raw_messages", GLOBEX, "value")
    assert [bytes(row["value"]).decode() for row in raw] == [line.text for line in LINES]


def test_a_second_run_with_nothing_new_writes_no_version_of_any_table(delivered: Delivered) -> None:
    before = delivered.platform.versions(GLOBEX)
    delivered.platform.materialize(GLOBEX)
    assert delivered.platform.versions(GLOBEX) == before


def test_questions_and_options_are_those_of_the_accepted_messages(delivered: Delivered) -> None:
    expected_questions, expected_options = [], []
    for line in LINES:
        if line.fate != "accepted":
            continue
        for i, question in enumerate(json.loads(line.text)["sequences"]["questions"]):
            expected_questions.append((line.index, i, question["id"], question["user_result"]))
            expected_options += [
                (line.index, i, j, option["id"], option["checked"], option.get("correct"))
                for j, option in enumerate(question["options"])
            ]
    questions = delivered.platform.rows(
        "questions", GLOBEX, "offset", "position", "question_id", "result"
    )
    assert [tuple(row.values()) for row in questions] == expected_questions
    columns = ("offset", "question_position", "position", "option_id", "checked", "correct")
    options = delivered.platform.rows("options", GLOBEX, *columns)
    assert [tuple(row.values()) for row in options] == expected_options


def test_an_empty_customer_gets_empty_tables(platform: Platform) -> None:
    platform.register("nobody")
    assert platform.materialize("nobody").success
    assert platform.rows("assessments", "nobody") == []
    assert platform.rows("exam_counts", "nobody") == []
