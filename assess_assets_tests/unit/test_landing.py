"""What a run claims of a landing folder, and that successive claims cover it exactly.

Belongs here: ranges over successive runs, changed and missing files. Does not: reading a range
(`test_landing_reading`), formats (`test_landing_formats`).
"""

import gzip
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assess_assets.sources import landing
from assess_assets.sources.landing import find_new_ranges
from assess_assets.sources.landing_content import Limits
from assess_assets.sources.landing_formats import Content, read_content
from assess_assets.sources.ranges import (
    LandedFileChanged,
    LandedFileMissing,
    SourceRange,
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


def all_runs(folder: Path, most: int, split_bytes: int = 1 << 20) -> list[list[SourceRange]]:
    runs: list[list[SourceRange]] = []
    while new := find_new_ranges(folder, [c for run in runs for c in run], most, split_bytes):
        runs.append(new)
    return runs


def spans(ranges: list[SourceRange]) -> list[tuple[str, int, int]]:
    return [(claim.source, claim.start_offset, claim.end_offset) for claim in ranges]


def touch(path: Path) -> None:
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 5_000_000_000))


def test_files_are_claimed_in_name_order_and_once(folder: Path) -> None:
    land(folder, "b.ndjson", b'{"b":1}\n')
    land(folder, "a.jsonl.gz", gzip.compress(b'{"a":1}\n{"a":2}\n'))
    land(folder, "C.JSON", b'[{"c":1}]')
    ranges = find_new_ranges(folder, [], MANY)
    assert spans(ranges) == [("C.JSON", 0, 1), ("a.jsonl.gz", 0, 2), ("b.ndjson", 0, 1)]
    assert {claim.kind for claim in ranges} == {"read"}
    assert find_new_ranges(folder, ranges, MANY) == []


def test_unfinished_hidden_and_foreign_files_are_not_claimed(folder: Path) -> None:
    for name in ("a.json.tmp", ".a.json", "a.csv", "a.json.part", "a.gz", "json"):
        land(folder, name, b"{}\n")
    (folder / "sub.json").mkdir()
    (folder / "link.json").symlink_to(folder / "a.csv")
    assert find_new_ranges(folder, [], MANY) == []
    assert find_new_ranges(folder / "nowhere", [], MANY) == []


def test_lines_are_split_and_other_formats_are_not(folder: Path) -> None:
    lines = b'{"a":12345}\n' * 10
    land(folder, "a.json", lines)
    land(folder, "b.json", b"[%s]" % lines.strip().replace(b"\n", b","))
    land(folder, "c.json.gz", gzip.compress(lines))
    ranges = find_new_ranges(folder, [], MANY, split_bytes=48)
    assert spans(ranges) == [
        ("a.json", 0, 4),
        ("a.json", 4, 8),
        ("a.json", 8, 10),
        ("b.json", 0, 10),
        ("c.json.gz", 0, 10),
    ]
    assert [claim.start_byte for claim in ranges] == [0, 48, 96, None, None]
    assert [claim.end_byte for claim in ranges] == [48, 96, 120, None, None]


def test_a_file_of_lines_is_claimed_over_several_runs(folder: Path) -> None:
    path = land(folder, "a.json", b"\xef\xbb\xbf" + b"".join(b"%d\n" % n for n in range(10)))
    runs = all_runs(folder, 4)
    assert [spans(run) for run in runs] == [
        [("a.json", 0, 4)],
        [("a.json", 4, 8)],
        [("a.json", 8, 10)],
    ]
    assert {claim.source_end_offset for run in runs for claim in run} == {10}
    assert [value for *_, value, _ in read(folder, [c for run in runs for c in run])] == [
        b"%d" % n for n in range(10)
    ]
    assert runs[0][0].source_timestamp_ms == path.stat().st_mtime_ns // 1_000_000


def test_a_file_read_whole_waits_for_a_batch_of_its_own_if_it_is_too_large(folder: Path) -> None:
    land(folder, "a.json", b"1\n2\n")
    land(folder, "b.json", b"[1,2,3,4,5]")
    land(folder, "c.json", b"3\n")
    assert [spans(run) for run in all_runs(folder, 4)] == [
        [("a.json", 0, 2)],
        [("b.json", 0, 5)],
        [("c.json", 0, 1)],
    ]


def test_the_same_content_under_another_name_is_refused_once(folder: Path) -> None:
    land(folder, "a.json", b"1\n2\n")
    land(folder, "b.json", b"1\n2\n")
    first, twin = find_new_ranges(folder, [], MANY, split_bytes=1000)
    assert (twin.kind, twin.messages, twin.is_last) == ("refused", 0, True)
    assert twin.note == "the same content has landed as a.json"
    assert read(folder, [twin]) == []
    assert find_new_ranges(folder, [first, twin], MANY) == []
    (folder / "a.json").unlink()
    land(folder, "c.json", b"1\n2\n")
    assert [claim.kind for claim in find_new_ranges(folder, [first, twin], MANY)] == ["refused"]


def test_a_refused_file_with_new_content_is_a_new_file(folder: Path) -> None:
    land(folder, "a.json", b"1\n")
    land(folder, "b.json", b"1\n")
    claimed = find_new_ranges(folder, [], MANY)
    touch(land(folder, "b.json", b"2\n"))
    assert spans(find_new_ranges(folder, claimed, MANY)) == [("b.json", 0, 1)]


def test_a_file_that_is_called_as_the_customers_topic_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "json"
    folder.mkdir()
    land(folder, "assessments.json", b"{}")
    land(folder, "assessments.acme.json", b"[]")
    (other, same) = find_new_ranges(folder, [], MANY)
    assert (other.source, other.kind) == ("assessments.acme.json", "read")
    assert (same.source, same.kind, same.messages) == ("assessments.json", "refused", 0)
    assert same.note == "the file's name is the topic's: land it under another name"
    assert find_new_ranges(folder, [other, same], MANY) == []


def test_a_name_that_is_not_utf8_is_refused_and_says_so(folder: Path) -> None:
    land(folder, os.fsdecode(b"\xff.json"), b"1\n")
    (claim,) = find_new_ranges(folder, [], MANY)
    assert (claim.source, claim.kind) == ("\\udcff.json", "refused")
    assert "UTF-8" in str(claim.note)
    assert ranges_from_json(ranges_to_json([claim])) == [claim]
    assert find_new_ranges(folder, [claim], MANY) == []


def test_a_file_is_identified_by_all_of_its_bytes_even_if_few_are_read(folder: Path) -> None:
    content = b"not json\n" * 500_000
    land(folder, "a.json", content)
    land(folder, "b.json", content + b"more")
    first, second = find_new_ranges(folder, [], MANY)
    assert (first.kind, second.kind) == ("read", "read")
    assert first.identity == hashlib.sha256(content).hexdigest()


def test_a_file_that_is_still_being_written_is_left_to_the_next_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = land(folder, "a.json", b"1\n")

    def grow_and_read(blocks: Iterator[bytes], limits: Limits) -> Content:
        with path.open("ab") as more:
            more.write(b"2\n")
        return read_content(blocks, limits)

    with monkeypatch.context() as patch:
        patch.setattr(landing, "read_content", grow_and_read)
        assert find_new_ranges(folder, [], MANY) == []
    assert spans(find_new_ranges(folder, [], MANY)) == [("a.json", 0, 2)]


@pytest.mark.parametrize(
    ("most", "action"),
    [(1, "Restore the old, .* 1 to 2 .*accept-loss --customer acme --source a.json"), (9, "move")],
)
def test_a_changed_file_stops_the_claim_and_says_what_to_do(
    folder: Path, most: int, action: str
) -> None:
    path = land(folder, "a.json", b"1\n2\n")
    claimed = find_new_ranges(folder, [], most)
    path.write_bytes(b"1\n3\n")
    touch(path)
    with pytest.raises(LandedFileChanged, match=f"Customer acme: .*a.json has changed.*{action}"):
        find_new_ranges(folder, claimed, most)


def test_a_file_that_was_only_touched_is_the_same_file(folder: Path) -> None:
    path = land(folder, "a.json", b"1\n2\n")
    claimed = find_new_ranges(folder, [], 1)
    touch(path)
    rest = find_new_ranges(folder, claimed, 1)
    assert [record[2] for record in read(folder, claimed + rest)] == [b"1", b"2"]
    assert rest[0].source_timestamp_ms == claimed[0].source_timestamp_ms


def test_a_file_that_was_read_may_go_and_one_that_was_not_may_not(folder: Path) -> None:
    path = land(folder, "a.json", b"1\n2\n")
    part = find_new_ranges(folder, [], 1)
    rest = find_new_ranges(folder, part, MANY)
    path.unlink()
    assert find_new_ranges(folder, part + rest, MANY) == []
    with pytest.raises(LandedFileMissing, match=r"Customer acme: .*messages 1 to 2 .*accept-loss"):
        find_new_ranges(folder, part, MANY)
    lost = lost_rest(part[0], "the customer has no copy")
    assert (lost.start_offset, lost.end_offset, lost.kind) == (1, 2, "lost")
    assert find_new_ranges(folder, [*part, lost], MANY) == []


def test_a_copy_of_a_file_that_was_given_up_is_read_under_another_name(folder: Path) -> None:
    path = land(folder, "a.json", b"1\n2\n")
    claimed = find_new_ranges(folder, [], MANY)
    lost = lost_rest(claimed[0], "gone", claimed)
    path.rename(folder / "b.json")
    (found,) = find_new_ranges(folder, [*claimed, lost], MANY)
    assert (found.source, found.kind, found.messages) == ("b.json", "read", 2)


def test_a_file_that_was_given_up_and_is_there_again_is_refused_once_and_so_told(
    folder: Path,
) -> None:
    path = land(folder, "a.json", b"1\n2\n")
    claimed = find_new_ranges(folder, [], 1)
    claimed.append(lost_rest(claimed[0], "gone"))
    (refused,) = find_new_ranges(folder, claimed, MANY)
    assert (refused.kind, refused.messages) == ("refused", 0)
    assert refused.note == "its messages 1 to 2 were given up: land it under another name"
    claimed.append(refused)
    assert find_new_ranges(folder, claimed, MANY) == []
    path.rename(folder / "found.json")
    assert spans(find_new_ranges(folder, claimed, MANY)) == [("found.json", 0, 2)]


def test_a_copy_that_was_refused_is_read_once_its_twin_was_given_up(folder: Path) -> None:
    path = land(folder, "a.json", b"1\n2\n")
    land(folder, "b.json", b"1\n2\n")
    claimed = find_new_ranges(folder, [], MANY)
    assert [claim.kind for claim in claimed] == ["read", "refused"]
    path.unlink()
    claimed.append(lost_rest(claimed[0], "gone", claimed[:1]))
    (found,) = find_new_ranges(folder, claimed, MANY)
    assert (found.source, found.kind, found.messages) == ("b.json", "read", 2)
    assert find_new_ranges(folder, [*claimed, found], MANY) == []


def test_a_defective_file_is_claimed_and_does_not_hold_up_the_others(folder: Path) -> None:
    land(folder, "a.json", b"")
    land(folder, "b.json", b"[]")
    land(folder, "c.json.gz", gzip.compress(b"1\n2\n" * 1000)[:-9])
    land(folder, "d.json", b"[1,")
    land(folder, "e.json", b"5\n")
    ranges = find_new_ranges(folder, [], MANY)
    assert [claim.source for claim in ranges] == [
        "a.json",
        "b.json",
        "c.json.gz",
        "d.json",
        "e.json",
    ]
    rows = read(folder, ranges)
    assert len(rows) == sum(claim.messages for claim in ranges)
    assert {row[0] for row in rows if row[3]} == {"a.json", "c.json.gz", "d.json"}
    assert find_new_ranges(folder, ranges, MANY) == []


@settings(max_examples=60)
@given(
    lines=st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b""))),
    most=st.integers(1, 7),
    split_bytes=st.integers(1, 40),
    ends=st.sampled_from([b"\n", b"\r\n"]),
)
def test_successive_runs_yield_every_line_in_order_and_once(
    lines: list[bytes], most: int, split_bytes: int, ends: bytes
) -> None:
    lines = [b'{"first": 1}', *(line.rstrip(b"\r") for line in lines)]  # makes it a file of lines
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        land(folder, "a.json", b"".join(line + ends for line in lines))
        runs = all_runs(folder, most, split_bytes)
        claimed = [claim for run in runs for claim in run]
        assert [row[1:3] for row in read(folder, claimed)] == list(enumerate(lines))
        assert all(sum(claim.messages for claim in run) <= most for run in runs)


@settings(max_examples=60)
@given(
    files=st.dictionaries(st.sampled_from("abcdef"), st.binary(max_size=60), max_size=5),
    most=st.integers(1, 4),
)
def test_whatever_the_files_hold_runs_come_to_an_end_and_claims_can_be_read(
    files: dict[str, bytes], most: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in files.items():
            land(folder, f"{file}.json", content)
        claimed = [claim for run in all_runs(folder, most, 8) for claim in run]
        assert {claim.source for claim in claimed} == {f"{file}.json" for file in files}
        assert len(read(folder, claimed)) == sum(claim.messages for claim in claimed)
