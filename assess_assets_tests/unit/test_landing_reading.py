"""Reading claimed ranges of landed files: exactly their records, or an error.

Belongs here: the envelope, files that changed since, batches, memory. Does not: claims
(`test_landing`), formats (`test_landing_formats`), the engine (`engine/test_landing_source`).
"""

import os
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql.datasource import InputPartition
from pyspark.sql.pandas.types import from_arrow_schema

from assess_assets.sources.landing import find_new_ranges
from assess_assets.sources.landing_content import Limits
from assess_assets.sources.landing_files import read_range
from assess_assets.sources.landing_source import BATCH_ROWS, LandingReader, read_batches
from assess_assets.sources.ranges import (
    ENVELOPE,
    ENVELOPE_ARROW,
    LandedFileChanged,
    LandedFileMissing,
    LandedFileUnreadable,
    lost_rest,
    ranges_from_json,
    ranges_to_json,
)
from assess_assets_tests.landed import MANY, land, read


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "acme"
    path.mkdir()
    return path


def touch(path: Path) -> None:
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 5_000_000_000))


def test_the_two_declarations_of_the_envelope_agree() -> None:
    assert from_arrow_schema(ENVELOPE_ARROW) == ENVELOPE


def test_ranges_come_back_from_json_as_they_were(folder: Path) -> None:
    land(folder, "ä.json", b'{"a":1}\n{"a":2}')
    ranges = find_new_ranges(folder, [], MANY)
    assert ranges_from_json(ranges_to_json(ranges)) == ranges


def test_a_range_that_cannot_be_is_refused(folder: Path) -> None:
    land(folder, "a.json", b"{}\n")
    (claim,) = find_new_ranges(folder, [], MANY)
    for wrong in ({"start_offset": 2}, {"start_offset": -1}, {"start_byte": None}):
        with pytest.raises(ValueError, match=r"range|both"):
            replace(claim, **wrong)


@pytest.mark.parametrize("content", [b"1\n3\n", b"1\n2\n3\n", b"1\n", b"1 2\n"])
@pytest.mark.parametrize("was", [b"1\n2\n", b"[1,2]"], ids=["lines", "array"])
def test_reading_a_file_that_changed_after_the_claim_is_an_error(
    folder: Path, was: bytes, content: bytes
) -> None:
    path = land(folder, "a.json", was)
    claimed = find_new_ranges(folder, [], MANY)
    path.write_bytes(content)
    touch(path)
    with pytest.raises(
        LandedFileChanged, match=r"Restore the old, whose messages 0 to .* assess accept-loss"
    ):
        read(folder, claimed)


def test_reading_a_file_that_changes_meanwhile_is_an_error(folder: Path) -> None:
    path = land(folder, "a.json", b"1\n2\n")
    (claim,) = find_new_ranges(folder, [], MANY)
    records = read_range(folder, claim)
    assert next(records).value == b"1"
    path.write_bytes(b"1\n4\n")
    touch(path)
    with pytest.raises(LandedFileChanged):
        list(records)


@pytest.mark.parametrize("end_offset", [1, 3])
@pytest.mark.parametrize("content", [b"1\n2\n", b"[1,2]"], ids=["lines", "array"])
def test_reading_another_number_of_records_than_claimed_is_an_error(
    folder: Path, content: bytes, end_offset: int
) -> None:
    land(folder, "a.json", content)
    (claim,) = find_new_ranges(folder, [], MANY)
    with pytest.raises(LandedFileChanged):
        read(folder, [replace(claim, end_offset=end_offset)])


def test_reading_a_file_that_is_gone_or_replaced_by_a_link_is_an_error(folder: Path) -> None:
    path = land(folder, "a.json", b"1\n")
    claimed = find_new_ranges(folder, [], MANY)
    path.rename(folder / "elsewhere")
    with pytest.raises(LandedFileMissing, match=r"Customer acme: .*a.json is gone"):
        read(folder, claimed)
    path.symlink_to(folder / "elsewhere")
    with pytest.raises(LandedFileUnreadable, match=r"Customer acme: .*a.json can't be opened"):
        read(folder, claimed)


def test_a_range_cannot_lead_out_of_the_customers_folder(folder: Path) -> None:
    land(folder, "a.json", b"1\n")
    (claim,) = find_new_ranges(folder, [], MANY)
    land(folder.parent, "b.json", b"1\n")
    with pytest.raises(LandedFileUnreadable, match="not the name of a file"):
        read(folder, [replace(claim, source="../b.json")])


def test_batches_are_bounded_by_rows_and_bytes_and_number_their_records(folder: Path) -> None:
    land(folder, "a.json", b"1\n" * 2500 + b'"%s"\n' % (b"x" * 5_000_000) * 3)
    (claim,) = find_new_ranges(folder, [], MANY)
    batches = list(read_batches(folder, claim))
    assert [batch.num_rows for batch in batches] == [BATCH_ROWS, BATCH_ROWS, 501, 1, 1]
    assert {batch.schema for batch in batches} == {ENVELOPE_ARROW}
    offsets = [offset for batch in batches for offset in batch.column("offset").to_pylist()]
    assert offsets == list(range(2503))


def test_only_ranges_with_messages_become_partitions(folder: Path) -> None:
    land(folder, "a.json", b"[]")
    land(folder, "b.json", b"1\n")
    land(folder, "c.json", b"1\n")
    ranges = find_new_ranges(folder, [], MANY)
    partitions = LandingReader(folder, [*ranges, lost_rest(ranges[1], "")]).partitions()
    assert [sources_in(each) for each in partitions] == [["b.json"]]


def test_an_engine_may_limit_the_number_of_partitions_and_still_reads_every_range(
    folder: Path,
) -> None:
    for name in ("a", "b", "c"):
        land(folder, f"{name}.json", b'"%s"\n' % name.encode())
    reader = LandingReader(folder, find_new_ranges(folder, [], MANY), readers=2)
    assert [sources_in(each) for each in reader.partitions()] == [["a.json", "c.json"], ["b.json"]]
    read = [batch for each in reader.partitions() for batch in reader.read(each)]
    assert [batch.column("value").to_pylist() for batch in read] == [[b'"a"'], [b'"c"'], [b'"b"']]


def sources_in(partition: InputPartition) -> list[str]:
    return [claim.source for claim in ranges_from_json(partition.value)]


def test_memory_does_not_grow_with_the_file(folder: Path) -> None:
    line = b'{"text":"%s"}\n' % (b"x" * 5000)
    with (folder / "a.json").open("wb") as file:
        for _ in range(64):
            file.write(line * 200)
    (folder / "b.json").write_bytes(b'{"first":1}\n' + b"x" * 20_000_000)
    tracemalloc.start()
    try:
        limits = Limits(line_bytes=1 << 20)
        ranges = find_new_ranges(folder, [], MANY, limits=limits)
        count = sum(1 for claim in ranges for _ in read_range(folder, claim, limits))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 64 * 200 + 2
    assert peak < 12 * 1024**2
