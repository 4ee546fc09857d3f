"""The landing folder's DataSource on the engine: the rows that Spark gets, compared.

Belongs here: what only an engine can show. Does not: which records a file has (`unit/`).
"""

import gzip
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from assess_assets.sources.landing import find_new_ranges
from assess_assets.sources.landing_source import LandingDataSource
from assess_assets.sources.ranges import ENVELOPE, SourceRange, ranges_to_json

pytestmark = pytest.mark.both_engines


def load(spark: SparkSession, folder: Path, ranges: list[SourceRange]) -> DataFrame:
    spark.dataSource.register(LandingDataSource)
    source = spark.read.format("assess_landing").option("folder", str(folder))
    return source.option("ranges", ranges_to_json(ranges)).load()


def test_claimed_ranges_become_envelope_rows(spark: SparkSession, tmp_path: Path) -> None:
    folder = tmp_path / "acme"
    folder.mkdir()
    (folder / "a.json").write_bytes(b'{"a":"\xff\xfe"}\n\n')
    (folder / "b.json").write_bytes(b"[1,\n2")
    (folder / "c.ndjson.gz").write_bytes(gzip.compress(b'{"c":"\xc3\xa4"}'))
    (folder / "d.json").write_bytes(b'{"a":"\xff\xfe"}\n\n')
    ranges = find_new_ranges(folder, [], 100, split_bytes=5)
    at = {claim.source: claim.source_timestamp_ms for claim in ranges}

    frame = load(spark, folder, ranges)

    assert frame.schema == ENVELOPE
    rows = [
        (*row[:4], row[4], None if row[5] is None else bytes(row[5]), row[6])
        for row in frame.orderBy("source", "offset").collect()
    ]
    defect = "the array is cut off, at byte 5 of 5; this is the rest after 2 readable messages"
    assert rows == [
        ("a.json", 0, 0, at["a.json"], None, b'{"a":"\xff\xfe"}', None),
        ("a.json", 0, 1, at["a.json"], None, b"", None),
        ("b.json", 0, 0, at["b.json"], None, b"1", None),
        ("b.json", 0, 1, at["b.json"], None, b"2", None),
        ("b.json", 0, 2, at["b.json"], None, b"", defect),
        ("c.ndjson.gz", 0, 0, at["c.ndjson.gz"], None, b'{"c":"\xc3\xa4"}', None),
    ]


def test_no_range_with_messages_gives_no_rows(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"[]")
    assert load(spark, tmp_path, []).collect() == []
    assert load(spark, tmp_path, find_new_ranges(tmp_path, [], 1)).collect() == []


def test_a_file_that_changed_fails_the_query_and_not_just_its_rows(
    spark: SparkSession, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_bytes(b"1\n2\n")
    ranges = find_new_ranges(tmp_path, [], 100)
    (tmp_path / "a.json").write_bytes(b"1\n2\n3\n")
    with pytest.raises(Exception, match=r"a\.json has changed since"):
        load(spark, tmp_path, ranges).collect()


def test_a_missing_option_is_named(spark: SparkSession) -> None:
    spark.dataSource.register(LandingDataSource)
    with pytest.raises(Exception, match="option 'folder' is missing"):
        spark.read.format("assess_landing").load().collect()
