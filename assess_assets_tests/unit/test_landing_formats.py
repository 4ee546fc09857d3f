"""What the bytes of a landed file are taken for, and which records come out of them.

Belongs here: one test per format and per defect. Does not: claims (`test_landing`).
"""

import gzip
import json
import zlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assess_assets.messages import judge
from assess_assets.sources.landing_content import (
    BLOCK_BYTES,
    BrokenContent,
    Limits,
    file_blocks,
    peek,
    unpack,
)
from assess_assets.sources.landing_elements import NOT_JSON_BYTES, Record, array_elements
from assess_assets.sources.landing_formats import (
    BOM,
    SNIFF_BYTES,
    decide_format,
    read_content,
    read_lines,
)


def blocks_of(content: bytes, size: int = 7) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


def records(content: bytes, limits: Limits | None = None, block: int = 1 << 20) -> list[Record]:
    return list(read_content(blocks_of(content, block), limits or Limits()).records)


def values(content: bytes) -> list[bytes]:
    found = records(content)
    assert [record.defect for record in found] == [None] * len(found)
    return [record.value for record in found]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b'{"a":1}\n{"a":2}\n', [b'{"a":1}', b'{"a":2}'], id="lines"),
        pytest.param(b'{"a":1}\r\n{"a":2}\r\n', [b'{"a":1}', b'{"a":2}'], id="windows lines"),
        pytest.param(b'{"a":1}\n{"a":2}', [b'{"a":1}', b'{"a":2}'], id="no last newline"),
        pytest.param(b'{"a":1}\n\n{"a":2}\n\n', [b'{"a":1}', b"", b'{"a":2}', b""], id="blank"),
        pytest.param(b'\n \n{"a":1}\n', [b"", b" ", b'{"a":1}'], id="blank lines first"),
        pytest.param(b' {"a": 1} \n{}\n', [b' {"a": 1} ', b"{}"], id="blanks are kept"),
        pytest.param(BOM + b'{"a":1}\n{"a":2}\n', [b'{"a":1}', b'{"a":2}'], id="lines with BOM"),
        pytest.param(b'{"a":1}\n{"a":\nx\n', [b'{"a":1}', b'{"a":', b"x"], id="bad later lines"),
        pytest.param(b'{"a":\n{"a":2}\n', [b'{"a":', b'{"a":2}'], id="bad first line"),
        pytest.param(b'{"a":1}}\n{"a":2}\n', [b'{"a":1}}', b'{"a":2}'], id="too much on the first"),
        pytest.param(b'# export\n{"a":2}\n', [b"# export", b'{"a":2}'], id="a header"),
        pytest.param(b'{"a":NaN}\n{"a":2}\n', [b'{"a":NaN}', b'{"a":2}'], id="NaN in the first"),
        pytest.param(b'{"a":"\xff"}\n1\n', [b'{"a":"\xff"}', b"1"], id="not UTF-8"),
        pytest.param(b'{"a":1}', [b'{"a":1}'], id="one object"),
        pytest.param(b"[1]\n[2]\n", [b"[1]", b"[2]"], id="an array on every line"),
        pytest.param(b'[]\n{"a":1}\n', [b"[]", b'{"a":1}'], id="an array on the first line"),
        pytest.param(b'[{"a":1}, [2] ,3]', [b'{"a":1}', b"[2]", b"3"], id="array on a line"),
        pytest.param(b'\n [\n{"a": 1},\n{"a":2}\n]\n', [b'{"a": 1}', b'{"a":2}'], id="array"),
        pytest.param(BOM + b'[{"a":1}]\n\n', [b'{"a":1}'], id="array with BOM"),
        pytest.param(b'[{"a":"\xff\xc3"}]', [b'{"a":"\xff\xc3"}'], id="array that isn't UTF-8"),
        pytest.param(b'[{"a":NaN},2]', [b'{"a":NaN}', b"2"], id="array with NaN"),
        pytest.param(b'[{"a":"\t\x00"},2]', [b'{"a":"\t\x00"}', b"2"], id="array with raw tabs"),
        pytest.param(b"[%s]" % (b"1" * 9999), [b"1" * 9999], id="array of a long number"),
        pytest.param(b"[\n]", [], id="empty array"),
        pytest.param(
            b'{\n "a": [\n  {}\n ]\n}\n', [b'{\n "a": [\n  {}\n ]\n}'], id="pretty object"
        ),
        pytest.param(b'{\n"a": 1\n}\n{\n"a": 2\n}', [b'{\n"a": 1\n}', b'{\n"a": 2\n}'], id="two"),
        pytest.param(
            b'{\n"a":1\n}\n{"b":2}\n', [b'{\n"a":1\n}', b'{"b":2}'], id="pretty, then not"
        ),
        pytest.param(b"[%s,NaN]" % (b"1" * 20_000), [b"1" * 20_000, b"NaN"], id="across windows"),
        pytest.param(b'{"a":1}{"a":2}', [b'{"a":1}', b'{"a":2}'], id="objects without a newline"),
    ],
)
def test_a_sound_file_gives_the_bytes_of_its_records(content: bytes, expected: list[bytes]) -> None:
    assert values(content) == expected
    assert values(gzip.compress(content)) == expected


@pytest.mark.parametrize(
    ("content", "expected", "rest", "defect"),
    [
        pytest.param(b'[{"a":1},{"a":', [b'{"a":1}'], b'{"a":', "cut off", id="in an element"),
        pytest.param(b"[1,2\n", [b"1", b"2"], b"", "array is cut off", id="after an element"),
        pytest.param(b"[1,oops,3]", [b"1"], b"oops,3]", "at byte 3 of 10", id="garbage"),
        pytest.param(b"[1 2]", [b"1"], b"2]", "a comma", id="no comma"),
        pytest.param(b"[1,]", [b"1"], b"]", "what follows is", id="trailing comma"),
        pytest.param(b"[1]\n[2]x", [b"[1]", b"[2]x"], None, "", id="lines after all"),
        pytest.param(b"[1,\n2] x", [b"1", b"2"], b"x", "follows the end", id="something behind"),
        pytest.param(b"[1,\xff\xfe]", [b"1"], b"\xff\xfe]", "after 1 readable", id="binary"),
        pytest.param(b'{\n"a":1}\n{\n"a"', [b'{\n"a":1}'], b'{\n"a"', "cut off", id="pretty"),
    ],
)
def test_what_a_broken_file_still_has_is_read_and_the_rest_is_one_record(
    content: bytes, expected: list[bytes], rest: bytes | None, defect: str
) -> None:
    found = records(content)
    sound = found[:-1] if rest is not None else found
    assert [(record.value, record.defect) for record in sound] == [(v, None) for v in expected]
    if rest is not None:
        assert found[-1].value == rest
        assert defect in str(found[-1].defect)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"", "the file is empty", id="no bytes"),
        pytest.param(b" \n\r\n\t", "the file is empty", id="only blanks"),
        pytest.param(BOM, "the file is empty", id="only a BOM"),
        pytest.param(b"[oops]", "nothing in the file is JSON", id="an array of nothing"),
        pytest.param(b"[", "nothing in the file is JSON", id="a bracket"),
        pytest.param(b'{\n "a": 1,\n "b"', "nothing in the file is JSON", id="a cut off object"),
        pytest.param(b"name,score\nada,1\n", "nothing in the file is JSON", id="CSV"),
        pytest.param(b"\x00\x01\n\xff\xfe\n", "nothing in the file is JSON", id="binary"),
        pytest.param('{"a":1}\n'.encode("utf-16"), "nothing in the file is JSON", id="UTF-16"),
        pytest.param(b"[" * 100_000, "nothing in the file is JSON", id="nested without end"),
    ],
)
def test_a_file_without_json_is_one_record_that_says_so(content: bytes, why: str) -> None:
    (record,) = records(content)
    assert record.value == content.removeprefix(BOM)
    assert why in str(record.defect)


def test_of_a_large_file_without_json_a_mebibyte_is_kept() -> None:
    (record,) = records(b"not json\n" * 500_000)
    assert len(record.value) == NOT_JSON_BYTES


def test_a_first_line_too_long_to_sniff_means_lines_unless_it_is_an_array() -> None:
    text = b'"%s"' % (b"x" * (SNIFF_BYTES + 10))
    assert values(b'{"a":%s}\n{"b":1}' % text) == [b'{"a":%s}' % text, b'{"b":1}']
    assert values(b"[%s,2]" % text) == [text, b"2"]
    assert values(b'{"a":1}{"b":%s}' % text) == [b'{"a":1}', b'{"b":%s}' % text]


def test_a_pretty_object_larger_than_the_sniffed_prefix_is_one_record() -> None:
    text = json.dumps({"a": ["x" * 100] * 20_000}, indent=1).encode()
    assert len(text) > SNIFF_BYTES + (1 << 20)
    assert values(text) == [text]


def test_the_first_line_decides_whatever_comes_after_the_prefix() -> None:
    assert decide_format(b'{"a":1}\n{"a"', whole=False) == "lines"
    assert decide_format(b"[1,\n", whole=False) == "array"
    assert decide_format(b"[1]\n", whole=False) == "lines"
    assert decide_format(b"\n" * 10, whole=False) == "lines"


def test_a_line_that_is_too_long_is_kept_cut_off_and_says_so() -> None:
    content = b'{"a":1}\n' + b"x" * 30 + b'\n{"a":2}\n' + b"y" * 11
    for block in (1, 4, 100):
        found = records(content, Limits(line_bytes=10), block)
        assert [record.value for record in found] == [b'{"a":1}', b"x" * 10, b'{"a":2}', b"y" * 10]
        assert found[1].defect == "the line has 30 bytes; only its first 10 are kept"
        assert found[3].defect == "the line has 11 bytes; only its first 10 are kept"
        assert [record.end_byte for record in found] == [8, 39, 47, 58]


@pytest.mark.parametrize("levels", [101, 900, 1_100, 5_000, 100_000])
@pytest.mark.parametrize("place", [0, 2])
def test_an_element_that_is_nested_too_deep_costs_only_itself(levels: int, place: int) -> None:
    deep = b'{"a":' * (levels - 1) + b'["]}\\"", {}]' + b"}" * (levels - 1)
    elements = [b'{"n":1}', b'{"n":"]"}', b'{"n":3}']
    elements.insert(place, deep)
    for content in (b"[" + b",\n ".join(elements) + b"]", b"\n".join(elements)):
        found = records(content)
        assert [record.value for record in found] == elements
        assert {record.defect for record in found} == {None}
    assert judge(deep).rule == "nested_too_deep"


def test_an_element_that_is_too_long_is_kept_cut_off_and_says_so() -> None:
    found = records(b'[1, "' + b"x" * 30 + b'", 2]', Limits(line_bytes=10))
    assert [record.value for record in found] == [b"1", b'"' + b"x" * 9, b"2"]
    assert found[1].defect == "the element has 32 bytes; only its first 10 are kept"


LINES = b"".join(b'{"number": %d}\n' % number for number in range(2000))
ARRAY = b"[" + LINES.strip().replace(b"\n", b",\n") + b"]"


@pytest.mark.parametrize("content", [LINES, ARRAY], ids=["lines", "array"])
@pytest.mark.parametrize("kept", [20, 1000, 4000])
def test_a_gzip_file_that_is_cut_off_gives_what_can_be_unpacked(content: bytes, kept: int) -> None:
    found = records(gzip.compress(content)[:kept])
    sound = [record.value for record in found if record.defect is None]
    assert sound == LINES.split(b"\n")[: len(sound)]
    assert len(found) == len(sound) + 1
    assert "the gzip data is cut off" in str(found[-1].defect)
    assert kept < 1000 or sound


@pytest.mark.parametrize("content", [LINES, ARRAY], ids=["lines", "array"])
def test_a_corrupt_gzip_file_loses_nothing_in_front_of_the_corruption(content: bytes) -> None:
    packed = bytearray(gzip.compress(content))
    packed[-8] ^= 0xFF  # the checksum, behind all the data
    *sound, last = records(bytes(packed))
    assert [record.value for record in sound] == LINES.splitlines()
    assert (last.value, "corrupt" in str(last.defect)) == (b"", True)


def test_garbage_behind_gzip_data_is_a_defect_but_padding_and_members_are_not() -> None:
    packed = gzip.compress(b'{"a":1}\n') + gzip.compress(b'{"a":2}\n')
    assert values(packed + b"\0" * 100) == [b'{"a":1}', b'{"a":2}']
    *sound, last = records(packed + b"garbage")
    assert [record.value for record in sound] == [b'{"a":1}', b'{"a":2}']
    assert "corrupt after 16 unpacked bytes" in str(last.defect)


@pytest.mark.parametrize("beyond", [1, 100, 200])
@pytest.mark.parametrize("cut", range(8, 14))
def test_what_zlib_holds_back_when_a_block_is_full_is_unpacked_too(beyond: int, cut: int) -> None:
    packed = gzip.compress(b"[" * (BLOCK_BYTES + beyond))[:-cut]
    expected = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(packed)
    found = bytearray()
    with pytest.raises(BrokenContent, match=f"cut off after {len(expected)} unpacked"):
        deque(map(found.extend, unpack(iter([packed]), 1 << 30)), maxlen=0)
    assert found == expected


def test_a_gzip_file_stops_at_the_bound_on_unpacked_bytes() -> None:
    packed = gzip.compress(b'{"a":1}\n' * 1_000_000)
    *sound, last = records(packed, Limits(unpacked_bytes=8_004))
    assert (len(sound), last.value) == (1000, b'{"a"')
    assert last.defect == "the gzip data unpacks to more than 8004 bytes: not read on"
    assert values(gzip.compress(b"[" + b" " * 5_000_000 + b"1]")) == [b"1"]


def test_a_file_that_cannot_be_split_stops_at_the_bound_on_records() -> None:
    *sound, last = records(gzip.compress(b"\n" * 100 + b"{}"), Limits(whole_records=10))
    assert (len(sound), last.value) == (10, b"")
    assert "more than 10 messages" in str(last.defect)


def test_only_lines_of_a_plain_file_can_be_split() -> None:
    def can_be_split(content: bytes) -> bool:
        return read_content(iter([content])).can_be_split

    assert can_be_split(LINES)
    assert not any(can_be_split(content) for content in (ARRAY, gzip.compress(LINES), b"x", b""))


@given(st.lists(st.binary()), st.integers(1, 9), st.integers(0, 20))
def test_peeking_hands_out_every_byte_again(parts: list[bytes], size: int, ahead: int) -> None:
    content = b"".join(parts)
    prefix, whole, again = peek(blocks_of(content, size), ahead)
    assert content.startswith(prefix)
    assert (len(prefix) == len(content)) if whole else (len(prefix) > ahead)
    assert b"".join(again) == content


@given(st.binary(), st.integers(1, 9))
def test_lines_are_what_a_newline_ends_wherever_the_blocks_end(content: bytes, size: int) -> None:
    expected = content.split(b"\n")
    found = list(read_lines(blocks_of(content, size), 0, 1000))
    bare = [line.removesuffix(b"\r") for line in expected[:-1]]
    assert [record.value for record in found] == bare + [last for last in expected[-1:] if last]


ELEMENTS = st.lists(
    st.text(max_size=5) | st.integers() | st.lists(st.none(), max_size=3), max_size=4
)


@given(ELEMENTS, st.sampled_from([None, 1]))
def test_salvaging_an_array_gives_the_elements_that_reading_it_gives(
    elements: list[object], indent: int | None
) -> None:
    content = json.dumps(elements, indent=indent, ensure_ascii=False).encode()
    sound = list(array_elements(content, None, 1000))
    *salvaged, last = array_elements(content, "broken", 1000)
    assert salvaged == sound
    assert "broken" in str(last.defect)


@given(st.binary(max_size=300), st.sampled_from([b"", b"[", b"{", b'[1,"']), st.booleans())
def test_no_bytes_at_all_make_reading_fail_or_give_nothing(
    content: bytes, start: bytes, packed: bool
) -> None:
    content = start + content
    found = records(gzip.compress(content) if packed else content)
    assert found or json.loads(content) == []


def test_blocks_of_a_file_end_where_they_are_told_to(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"0123456789")
    with path.open("rb") as handle:
        assert b"".join(file_blocks(handle, 2, 5)) == b"234"
        assert b"".join(file_blocks(handle, 8)) == b"89"
        assert b"".join(file_blocks(handle, 8, 100)) == b"89"
