"""A load of which it is known what must become of every message, and what the tables make of it.

Belongs here: precision and recall at scale. Does not: one kind after another (`test_bad_input`),
the generator itself (`unit/test_load`).
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from assess_assets.sample.defects import ALL_KINDS
from assess_assets.sample.load import TRUTH, write_load
from assess_assets_tests.steps import Steps

ATTEMPTS = 20_000
CUSTOMERS = 3
PLACE = ("customer", "file", "offset")


def test_tables_say_exactly_what_is_true_of_20_000_messages(
    spark: SparkSession, tmp_path: Path
) -> None:
    made = write_load(tmp_path / "load", ATTEMPTS, CUSTOMERS, defects=0.05)
    truths = [json.loads(line) for line in (tmp_path / "load" / TRUTH).read_text().splitlines()]
    expected = {tuple(each[name] for name in PLACE): each for each in truths}
    assert {each["kind"] for each in truths} == {
        kind.name for kind in ALL_KINDS if not kind.is_large
    }

    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for folder in sorted(path for path in (tmp_path / "load").iterdir() if path.is_dir()):
        steps = Steps(spark, tmp_path / folder.name)
        steps.landing = folder
        steps.stop_before("questions")
        found |= fates_of(steps, folder.name)

    assert len(found) == made.messages
    assert Counter(each["fate"] for each in found.values()) == made.fates
    good = {"fate": "accepted", "rule": None, "path": None}
    for aspect, usual in good.items():
        told = {place: each[aspect] for place, each in found.items() if each[aspect] != usual}
        true = {place: each[aspect] for place, each in expected.items() if each[aspect] != usual}
        assert told.items() - true.items() == set(), f"precision of {aspect}"
        assert true.items() - told.items() == set(), f"recall of {aspect}"


def fates_of(steps: Steps, customer: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Fate, rule and path of every message of a customer, by its place."""
    columns = ("source", "offset", "rule", "json_path")
    refused = {
        (row["source"], row["offset"]): row for row in steps.rows("quarantined_messages", *columns)
    }
    found = {}
    for row in steps.rows("message_ledger", "source", "offset", "fate"):
        why = refused.pop((row["source"], row["offset"]), {})
        found[customer, row["source"], row["offset"]] = {
            "fate": row["fate"],
            "rule": why.get("rule"),
            "path": why.get("json_path"),
        }
    assert not refused, "quarantined without a fate"
    return found
