"""Sail and Apache Spark make the same tables of the same delivery, row for row.

Belongs here: the comparison of two whole lakes. Does not: that either is right, which the other
tests of this folder say, on whichever engine they are run.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from assess_assets.sample.messy import messy_lines
from assess_assets.sample.records import JsonObject
from assess_assets.sample.sample import sample_records
from assess_assets.storage.layout import LakeLayout
from assess_assets.tables.registry import TABLES, table_named
from assess_assets_tests import run_everything
from assess_assets_tests.deliveries import changed, lines
from assess_assets_tests.programs import printed_by
from assess_assets_tests.steps import rows_of

CUSTOMER = "globex"
TIME_OF_RUN = {"claimed_at", "ingested_at", "run_id", "last_run_at"}


def awkward() -> list[Any]:
    """What two JSON readers and two date parsers are most likely to disagree about."""

    def spelled(made: JsonObject) -> None:
        made |= {"exam_name": 'Ünï "𝄞" \\ \u2028', "max_attempts": "0.1"}
        made |= {"started_at": "2018-01-24T03:12:37.123456789+05:30"}
        made |= {"keen_timestamp": "1516743757.123456789", "keen_created_at": "0.0000009"}

    def empty(made: JsonObject) -> None:
        made["sequences"]["questions"][0]["options"] = []

    def bare(made: JsonObject) -> None:
        made["sequences"]["questions"] = []
        made["certification"] = None

    plain = json.dumps(changed("twice", lambda made: None))
    return [
        *(changed(change.__name__, change) for change in (spelled, empty, bare)),
        '{"exam_name": "First", "sequences": 1, ' + plain[1:],
        plain.replace('"twice"', '"last"')[:-1] + ', "exam_name": "Last"}',
        "",
        "\ufeff{}",
    ]


@pytest.fixture(scope="module")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The roots of both lakes, by engine."""
    if shutil.which("java") is None and os.environ.get("CI") != "true":
        pytest.skip("Apache Spark needs Java 17, and there is no java on the path")
    folder = tmp_path_factory.mktemp("engines")
    landing = folder / "landing" / CUSTOMER
    landing.mkdir(parents=True)
    messy = "".join(f"{line.text}\n" for line in messy_lines())
    (landing / "messy.ndjson").write_text(messy, encoding="utf-8")
    (landing / "sample.json").write_text(json.dumps(sample_records()[:60]), encoding="utf-8")
    (landing / "awkward.ndjson").write_text(lines(*awkward()), encoding="utf-8")
    (landing / "cut.json").write_text('[{"a": 1}, {"b', encoding="utf-8")
    return {engine: run_on(engine, folder) for engine in ("sail", "local[2]")}


def run_on(engine: str, folder: Path) -> str:
    lake = folder / f"lake-of-{engine.removesuffix('[2]')}"
    printed_by(run_everything.__file__, engine, str(lake), str(folder / "landing"), CUSTOMER)
    return LakeLayout.of(str(lake)).root


def uri(root: str, table: str) -> str:
    return LakeLayout(root).uri(table_named(table), CUSTOMER)


@pytest.mark.spark
@pytest.mark.parametrize("table", [table.name for table in TABLES])
def test_both_engines_write_the_same_rows(lakes: dict[str, str], table: str) -> None:
    sail, spark = (
        [
            {name: value for name, value in row.items() if name not in TIME_OF_RUN}
            for row in rows_of(uri(root, table), table)
        ]
        for root in lakes.values()
    )
    assert len(sail) == len(spark)
    for ours, theirs in zip(sail, spark, strict=True):
        different = {
            name: (ours[name], theirs[name]) for name in ours if not same(ours[name], theirs[name])
        }
        assert different == {}
    assert sail  # no table is equal for being empty


@pytest.mark.spark
@pytest.mark.parametrize("table", [table.name for table in TABLES])
def test_both_engines_keep_the_types_of_the_contract(lakes: dict[str, str], table: str) -> None:
    sail, spark = (DeltaTable(uri(root, table)).schema().to_json() for root in lakes.values())
    assert sail == spark


def same(ours: Any, theirs: Any) -> bool:
    """Equal, in order, with nulls where nulls are; floating-point numbers to the last bit."""
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[k], theirs[k]) for k in ours)
    return bool(type(ours) is type(theirs) and ours == theirs)
