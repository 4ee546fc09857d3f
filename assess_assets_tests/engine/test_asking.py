"""A check's text is sent to the engine when its rows are asked for, and not before."""

from collections import Counter

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.connect.client import SparkConnectClient

from assess_assets.checks.asking import run_query
from assess_assets_tests.conftest import ENGINE, Platform

IS_REMOTE = int(ENGINE == "sail")  # to a JVM in the same process nothing is sent
TEXT = "select a.id, b.id as other from {one} a join {another} b on b.id = a.id + 1"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the client asks the server, by what for."""
    times: Counter[str] = Counter()
    for name in ("execute_command", "to_table", "_analyze"):
        original = getattr(SparkConnectClient, name)

        def counted(*given: object, _name: str = name, _original: object = original) -> object:
            times[_name] += 1
            assert callable(_original)
            return _original(*given)

        monkeypatch.setattr(SparkConnectClient, name, counted)
    return times


def frames(spark: SparkSession) -> dict[str, DataFrame]:
    return {"one": spark.range(3), "another": spark.range(2)}


def test_a_query_is_sent_once_and_has_its_rows(platform: Platform, sent: Counter[str]) -> None:
    asked = run_query(platform.lake, TEXT, frames(platform.lake.spark))
    assert sent == Counter()
    assert [tuple(row) for row in asked.collect()] == [(0, 1)]
    assert sent == Counter(to_table=IS_REMOTE)


def test_a_text_is_still_sent_to_the_server_twice(spark: SparkSession, sent: Counter[str]) -> None:
    """When this fails, `spark.sql` will do: remove checks/asking.py."""
    asked = spark.sql(TEXT, None, **frames(spark))
    assert sent == Counter(execute_command=IS_REMOTE)
    assert [tuple(row) for row in asked.collect()] == [(0, 1)]
    assert sent == Counter(execute_command=IS_REMOTE, to_table=IS_REMOTE)
