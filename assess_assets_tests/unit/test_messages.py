"""One message and its verdict: every rule with a refused example and its accepted neighbour.

Not here: what becomes of refused messages, and whether the engines' parsers agree (engine tests).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assess_assets.messages import (
    MAX_MESSAGE_BYTES,
    VERDICT_SCHEMA,
    Message,
    Rule,
    Verdict,
    contract,
    judge,
    judge_batch,
)

Document = dict[str, Any]
Edit = Callable[[Document], object]


def attempt() -> Document:
    """A complete message of the genuine shape: two questions, five options, made-up ids."""
    return {
        "keen_timestamp": "1516743764.813107",
        "max_attempts": "1.0",
        "started_at": "2018-01-23T21:42:37.506Z",
        "base_exam_id": "exam-1",
        "user_exam_id": "attempt-1",
        "sequences": {
            "questions": [
                {
                    "user_incomplete": False,
                    "user_correct": True,
                    "options": [
                        {"checked": False, "id": "option-1"},
                        {
                            "checked": True,
                            "at": "2018-01-23T21:42:42.205Z",
                            "id": "option-2",
                            "submitted": 1,
                            "correct": True,
                        },
                    ],
                    "user_submitted": True,
                    "id": "question-1",
                    "user_result": "correct",
                },
                {
                    "user_incomplete": False,
                    "user_correct": False,
                    "options": [
                        {"checked": False, "correct": True, "id": "option-3"},
                        {"checked": False, "at": "2018-01-23T21:43:42.205Z", "id": "option-4"},
                        {"checked": False, "id": "option-5"},
                    ],
                    "user_submitted": False,
                    "id": "question-2",
                    "user_result": "unanswered",
                },
            ],
            "attempt": 1,
            "id": "form-1",
            "counts": {
                "incomplete": 0,
                "submitted": 1,
                "incorrect": 0,
                "all_correct": False,
                "correct": 1,
                "total": 2,
                "unanswered": 1,
            },
        },
        "keen_created_at": "1516743764.813107",
        "certification": "false",
        "keen_id": "5a67ac54411aed0001da9129",
        "exam_name": "Introduction to Tests",
    }


def encoded(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def put(path: str, value: object) -> Edit:
    """An edit that sets one value: `put("sequences.questions.0.id", "x")`."""

    def edit(document: Document) -> None:
        holder, last = _holder(document, path)
        holder[last] = value

    return edit


def drop(path: str) -> Edit:
    def edit(document: Document) -> None:
        holder, last = _holder(document, path)
        del holder[last]

    return edit


def _holder(document: Any, path: str) -> tuple[Any, Any]:
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps:
        document = document[step]
    return document, last


def judged(*edits: Edit) -> Verdict:
    document = attempt()
    for edit in edits:
        edit(document)
    return judge(encoded(document))


def reason(verdict: Verdict) -> tuple[str | None, str | None]:
    return verdict.rule, verdict.json_path


def text_with(old: str, new: str) -> bytes:
    """The message's text with one place changed, for spellings that json.dumps never writes."""
    text = encoded(attempt()).decode()
    assert text.count(old) == 1
    return text.replace(old, new).encode()


QUESTION = "sequences.questions.1"
OPTION = "sequences.questions.0.options.1"


def test_a_genuine_message_is_accepted_with_its_id_fingerprint_and_counts() -> None:
    canonical = json.dumps(attempt(), sort_keys=True, separators=(",", ":")).encode()
    assert judged() == Verdict("attempt-1", hashlib.sha256(canonical).hexdigest(), 2, 5)


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(drop("sequences.counts"), id="counts absent"),
        pytest.param(put("sequences.counts", None), id="counts null"),
        pytest.param(drop("certification"), id="certification absent"),
        pytest.param(put("certification", None), id="certification null"),
        pytest.param(put("certification", "true"), id="certification true"),
        pytest.param(put("sequences.questions", []), id="no questions"),
        pytest.param(put(f"{QUESTION}.options", []), id="no options"),
        pytest.param(put(f"{OPTION}.at", None), id="at null"),
        pytest.param(put(f"{OPTION}.correct", None), id="correct null"),
        pytest.param(put(f"{OPTION}.submitted", None), id="submitted null"),
        pytest.param(put("sequences.counts.total", 0), id="smallest count"),
        pytest.param(put("sequences.counts.total", 1_000_000_000), id="largest count"),
        pytest.param(put("user_exam_id", "a\0b"), id="NUL in an id"),
        pytest.param(put("exam_name", "\U0001f600 -0, é\u2028"), id="any text in a name"),
        pytest.param(put("exam_name", "x" * 1_000), id="longest name"),
        pytest.param(put("user_exam_id", " x "), id="spaces around an id"),
        pytest.param(put("max_attempts", "3"), id="whole max_attempts"),
        pytest.param(put(f"{QUESTION}.user_result", "missed_some"), id="missed_some"),
        pytest.param(put(f"{QUESTION}.options.0.id", "option-1"), id="id of another question"),
    ],
)
def test_what_the_contract_leaves_open_is_accepted(edit: Edit) -> None:
    verdict = judged(edit)
    assert verdict.rule is None, verdict
    assert verdict.fingerprint is not None
    assert verdict.unmapped is None


@pytest.mark.parametrize(
    ("edit", "rule", "json_path", "expected", "found"),
    [
        (drop("user_exam_id"), "missing_field", "$.user_exam_id", "a value", "no such field"),
        (drop(f"{OPTION}.checked"), "missing_field", "$.sequences.questions[0].options[1].checked",
         "a value", "no such field"),
        (drop("sequences.counts.total"), "missing_field", "$.sequences.counts.total", "a value",
         "no such field"),
        (put("sequences.counts", {}), "missing_field", "$.sequences.counts.incomplete", "a value",
         "no such field"),
        (put("user_exam_id", None), "wrong_type", "$.user_exam_id", "string", "null"),
        (put("sequences.attempt", "1"), "wrong_type", "$.sequences.attempt", "integer",
         'string "1"'),
        (put("sequences.attempt", 1.0), "wrong_type", "$.sequences.attempt", "integer",
         "number 1.0"),
        (put("sequences.attempt", True), "wrong_type", "$.sequences.attempt", "integer",
         "boolean true"),
        (put(f"{QUESTION}.user_correct", "true"), "wrong_type",
         "$.sequences.questions[1].user_correct", "boolean", 'string "true"'),
        (put(f"{QUESTION}.user_result", 7), "wrong_type", "$.sequences.questions[1].user_result",
         "string", "integer 7"),
        (put(f"{OPTION}.submitted", "1"), "wrong_type",
         "$.sequences.questions[0].options[1].submitted", "integer or null", 'string "1"'),
        (put(f"{OPTION}.at", 5), "wrong_type", "$.sequences.questions[0].options[1].at",
         "string or null", "integer 5"),
        (put("sequences.questions", {"0": "secret"}), "wrong_type", "$.sequences.questions",
         "array", "object"),
        (put("sequences", ["secret"]), "wrong_type", "$.sequences", "object", "array of 1"),
        (put("sequences.counts", 3), "wrong_type", "$.sequences.counts", "object or null",
         "integer 3"),
        (put("certification", False), "wrong_type", "$.certification", "string or null",
         "boolean false"),
        (put("certification", "no"), "not_allowed", "$.certification", "one of true, false",
         'string "no"'),
        (put(f"{QUESTION}.user_result", "x - at `$.keen_id`"), "not_allowed",
         "$.sequences.questions[1].user_result",
         "one of correct, missed_some, incorrect, unanswered", 'string "x - at `$.keen_id`"'),
        (put("keen_id", ""), "not_allowed", "$.keen_id", "string of length >= 1", 'string ""'),
        (put("user_exam_id", " \t"), "not_allowed", "$.user_exam_id",
         "string that is not blank", 'string " \t"'),
        (put("base_exam_id", "\u2003"), "not_allowed", "$.base_exam_id",
         "string that is not blank", 'string "\u2003"'),
        (put("max_attempts", "two"), "not_allowed", "$.max_attempts",
         "a decimal number in a string, at most nine digits before and after the point",
         'string "two"'),
        (put("exam_name", "x" * 1_001), "not_allowed", "$.exam_name",
         "string of length <= 1000", 'string "' + "x" * 191 + "…"),
        (put("sequences.counts.total", -1), "out_of_range", "$.sequences.counts.total",
         "integer >= 0", "integer -1"),
        (put("sequences.counts.total", 1_000_000_001), "out_of_range", "$.sequences.counts.total",
         "integer <= 1000000000", "integer 1000000001"),
        (put("sequences.attempt", 2**64), "out_of_range", "$.sequences.attempt",
         "integer <= 1000000000", f"integer {2**64}"),
        (put(f"{QUESTION}.id", "question-1"), "repeated_question_id",
         "$.sequences.questions[1].id", "an id that no other question of the attempt has",
         'string "question-1"'),
        (put(f"{OPTION}.id", "option-1"), "repeated_option_id",
         "$.sequences.questions[0].options[1].id", "an id that no other option of the question has",
         'string "option-1"'),
    ],
)  # fmt: skip
def test_a_broken_contract_is_refused_with_rule_path_expected_and_found(
    edit: Edit, rule: str, json_path: str, expected: str, found: str
) -> None:
    assert judged(edit) == Verdict(rule=rule, json_path=json_path, expected=expected, found=found)


@pytest.mark.parametrize("text", ["1.0", "0", "999999999.123456789"])
def test_max_attempts_is_a_decimal_in_a_string(text: str) -> None:
    assert judged(put("max_attempts", text)).rule is None


@pytest.mark.parametrize("text", ["", "1.", ".5", "-1", "1e3", "1,0", "\u0663", "1.0\n", "1" * 10])
def test_other_spellings_of_max_attempts_are_not_allowed(text: str) -> None:
    assert reason(judged(put("max_attempts", text))) == ("not_allowed", "$.max_attempts")


@pytest.mark.parametrize(
    "text", ["0", "1516743764", "1516743764.123456789", "7258118399.999999999", "00001"]
)
def test_epoch_seconds_have_up_to_nine_decimals_and_end_before_2200(text: str) -> None:
    assert judged(put("keen_timestamp", text)).rule is None


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("7258118400", "out_of_range"),
        ("1516743764813", "out_of_range"),
        ("-1", "bad_timestamp"),
        ("1516743764.1234567890", "bad_timestamp"),
        ("1516743764.", "bad_timestamp"),
        ("1.5e9", "bad_timestamp"),
        ("1516743764\n", "bad_timestamp"),
        ("\u0661516743764", "bad_timestamp"),
        ("2018-01-23T21:42:37Z", "bad_timestamp"),
        ("", "bad_timestamp"),
    ],
)
@pytest.mark.parametrize("field", ["keen_timestamp", "keen_created_at"])
def test_other_epoch_seconds_are_refused(field: str, text: str, rule: str) -> None:
    verdict = judged(put(field, text))
    assert (*reason(verdict), verdict.found) == (rule, f"$.{field}", f'string "{text}"')


INSTANT_PATHS = [
    ("started_at", "$.started_at"),
    (f"{OPTION}.at", "$.sequences.questions[0].options[1].at"),
]


@pytest.mark.parametrize(
    "text",
    [
        "1970-01-01T00:00:00Z",
        "2018-01-23T21:42:37.5Z",
        "2018-01-23T21:42:37.123456789Z",
        "2020-02-29T21:42:37+05:30",
        "2018-01-23T21:42:37-18:00",
        "2199-12-31T23:59:59.999999999Z",
    ],
)
@pytest.mark.parametrize(("place", "json_path"), INSTANT_PATHS)
def test_instants_have_a_date_a_time_and_an_offset(place: str, json_path: str, text: str) -> None:
    assert judged(put(place, text)).rule is None


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("2018-02-29T21:42:37Z", "bad_timestamp"),
        ("2018-13-01T21:42:37Z", "bad_timestamp"),
        ("0000-01-01T00:00:00Z", "bad_timestamp"),
        ("2018-01-23T24:00:00Z", "bad_timestamp"),
        ("2018-01-23T23:59:60Z", "bad_timestamp"),
        ("2018-01-23T21:42:37", "bad_timestamp"),
        ("2018-01-23T21:42Z", "bad_timestamp"),
        ("2018-01-23", "bad_timestamp"),
        ("2018-01-23 21:42:37Z", "bad_timestamp"),
        ("2018-01-23t21:42:37z", "bad_timestamp"),
        ("2018-01-23T21:42:37.Z", "bad_timestamp"),
        ("2018-01-23T21:42:37,5Z", "bad_timestamp"),
        ("2018-01-23T21:42:37.1234567890Z", "bad_timestamp"),
        ("2018-01-23T21:42:37+0200", "bad_timestamp"),
        ("2018-01-23T21:42:37+18:01", "bad_timestamp"),
        ("2018-01-23T21:42:37Z\n", "bad_timestamp"),
        ("2018-W04-2T21:42:37Z", "bad_timestamp"),
        ("\u0662018-01-23T21:42:37Z", "bad_timestamp"),
        ("", "bad_timestamp"),
        ("1969-12-31T23:59:59.999Z", "out_of_range"),
        ("1970-01-01T00:00:00+00:01", "out_of_range"),
        ("2200-01-01T00:00:00Z", "out_of_range"),
        ("0001-01-01T00:00:00+18:00", "out_of_range"),
        ("9999-12-31T23:59:59-18:00", "out_of_range"),
    ],
)
@pytest.mark.parametrize(("place", "json_path"), INSTANT_PATHS)
def test_other_instants_are_refused(place: str, json_path: str, text: str, rule: str) -> None:
    verdict = judged(put(place, text))
    assert (*reason(verdict), verdict.found) == (rule, json_path, f'string "{text}"')


@pytest.mark.parametrize(
    ("value", "rule", "found"),
    [
        (None, "empty_message", "no value"),
        (b"", "empty_message", "0 bytes of whitespace"),
        (b" \r\n\t", "empty_message", "4 bytes of whitespace"),
        (b'{"a":"\xff"}', "not_utf8", "byte 0xff at position 6"),
        (b'{"a":"\xed\xa0\x80"}', "not_utf8", "byte 0xed at position 6"),
        ("{}".encode("utf-16"), "not_utf8", "byte 0xff at position 0"),
        (b"{", "not_json", "Input data was truncated (1 bytes)"),
        (b'{"a":NaN}', "not_json", "JSON is malformed: invalid character (byte 5)"),
        (b'{"a":Infinity}', "not_json", "JSON is malformed: invalid character (byte 5)"),
        (b"{} {}", "not_json", "JSON is malformed: trailing characters (byte 4)"),
        (b"\0{}", "not_json", "JSON is malformed: invalid character (byte 0)"),
        (b"\xef\xbb\xbf{}", "not_json", "a byte order mark (EF BB BF) before the text"),
        (b"[]", "not_an_object", "array"),
        (b'"a secret"', "not_an_object", "string"),
        (b"null", "not_an_object", "null"),
        (b"1", "not_an_object", "integer"),
        (b"[" * 10_000, "nested_too_deep", "more levels"),
        (b"[" * 10_000 + b"]" * 10_000, "nested_too_deep", "more levels"),
        (b'{"a":' * 10_000, "nested_too_deep", "more levels"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "nested_too_deep", "more levels"),
        (b"1e999", "out_of_range", "Number out of range"),
        (b'{"a": [1e999]}', "out_of_range", "Number out of range"),
        (b"9" * 5_000, "out_of_range", "Integer value out of range"),
        (b" " * (MAX_MESSAGE_BYTES + 1), "message_too_large", "16777217 bytes"),
    ],
)
def test_what_is_no_json_object_is_refused_as_a_whole(
    value: bytes | None, rule: str, found: str
) -> None:
    verdict = judge(value)
    assert (*reason(verdict), verdict.found) == (rule, "$", found)
    assert (verdict.attempt_id, verdict.fingerprint) == (None, None)


def test_a_message_of_exactly_the_largest_size_is_accepted() -> None:
    assert judge(encoded(attempt()).ljust(MAX_MESSAGE_BYTES)).rule is None


@pytest.mark.parametrize("escape", [r"\ud800", r"\udc00", r"\ud800A", r"\udc00\ud800"])
def test_half_a_surrogate_pair_is_no_text_but_a_whole_pair_is(escape: str) -> None:
    assert judge(text_with("attempt-1", escape)).rule == "not_json"
    assert judge(text_with("attempt-1", r"\ud83d\ude00")).attempt_id == "\U0001f600"


def test_a_defect_of_the_source_is_the_reason_whatever_the_value_holds() -> None:
    for value in (None, b"", encoded(attempt())):
        verdict = judge(value, "gz ends early, after 812 bytes")
        assert reason(verdict) == ("unreadable_source", "$")
        assert verdict.found == "gz ends early, after 812 bytes"


def test_found_is_bounded() -> None:
    assert len(judge(None, "x" * 10_000).found or "") == 200
    assert len(judged(put(f"{QUESTION}.user_result", "x" * 10_000)).found or "") == 200


def test_of_duplicate_keys_the_last_counts() -> None:
    twice = text_with('"user_exam_id":"attempt-1"', '"user_exam_id":[],"user_exam_id":"attempt-1"')
    assert judge(twice) == judged()
    assert reason(judge(encoded(attempt())[:-1] + b',"user_exam_id":[]}')) == (
        "wrong_type",
        "$.user_exam_id",
    )


def test_unknown_keys_of_every_level_are_kept_with_their_paths() -> None:
    verdict = judged(
        put("hint", {"b": 1, "a": [None, 1.5]}),
        put("odd key", 0),
        put("sequences.counts.skipped", 2),
        put(f"{QUESTION}.hint", "x"),
        put(f"{OPTION}.", True),
    )
    assert (verdict.rule, verdict.attempt_id) == (None, "attempt-1")
    assert verdict.fingerprint != judged().fingerprint
    assert json.loads(verdict.unmapped or "") == {
        "$.hint": {"a": [None, 1.5], "b": 1},
        '$["odd key"]': 0,
        "$.sequences.counts.skipped": 2,
        "$.sequences.questions[1].hint": "x",
        '$.sequences.questions[0].options[1][""]': True,
    }


def test_an_unknown_key_hides_no_fault() -> None:
    verdict = judged(put("hint", 1), put(f"{OPTION}.checked", "x"), put(f"{OPTION}.hint", 1))
    assert reason(verdict) == ("wrong_type", "$.sequences.questions[0].options[1].checked")
    assert verdict.unmapped is None


@pytest.mark.parametrize(
    ("accepted", "refused", "rule", "found"),
    [
        ("0", "-0", "out_of_range", "-0 at byte 8"),
        ("9" * 300, "9" * 301, "out_of_range", "301 characters at byte 8"),
        ("0." + "9" * 298, "0." + "9" * 1_100, "out_of_range", "1102 characters at byte 8"),
        ('{"%s":1}' % ("k" * 1_000), '{"%s":1}' % ("k" * 1_001), "not_allowed",
         "1001 characters at byte 9"),
        ('{"%s":1}' % (r"\u00e9" * 1_000), '{"%s" : 1}' % (r"\u00e9" * 1_001), "not_allowed",
         "1001 characters at byte 9"),
        ("[" * 99 + "]" * 99, "[" * 100 + "]" * 100, "nested_too_deep", "more levels"),
        (json.dumps("[" * 200), "[" * 100 + '"]"' + "]" * 100, "nested_too_deep", "more levels"),
        (json.dumps("-0, " + "9" * 2_000), "[0,-0 ]", "out_of_range", "-0 at byte 11"),
    ],
)  # fmt: skip
def test_spellings_that_an_engine_would_read_as_null_are_refused(
    accepted: str, refused: str, rule: str, found: str
) -> None:
    rest = "," + encoded(attempt()).decode()[1:]
    assert judge(('{"hint":' + accepted + rest).encode()).rule is None
    verdict = judge(('{"hint":' + refused + rest).encode())
    assert (*reason(verdict), verdict.found) == (rule, "$", found)


@pytest.mark.parametrize(
    ("accepted", "refused", "rule"),
    [
        ("[" * 99 + "]" * 99, "[" * 100 + "]" * 100, "nested_too_deep"),
        ("9" * 300, "9" * 301, "out_of_range"),
        ("[1, 2]", "[1,-0]", "out_of_range"),
        ('{"%s":1}' % ("k" * 1_000), '{"%s":1}' % ("k" * 1_001), "not_allowed"),
    ],
)  # fmt: skip
def test_such_spellings_are_refused_where_a_later_value_of_the_key_counts_too(
    accepted: str, refused: str, rule: str
) -> None:
    rest = "," + encoded(attempt()).decode()[1:]
    assert judge(('{"exam_name":' + accepted + rest).encode()) == judged()
    assert reason(judge(('{"exam_name":' + refused + rest).encode())) == (rule, "$")


def test_what_is_finer_than_its_column_is_kept_whole_in_unmapped() -> None:
    at = "sequences.questions.0.options.1.at"
    finer = "2018-01-23T21:42:42.2050001Z"
    verdict = judged(
        put("max_attempts", "999999999.123456789"), put("started_at", finer), put(at, finer)
    )
    assert json.loads(verdict.unmapped or "") == {
        "$.max_attempts": "999999999.123456789",
        "$.started_at": finer,
        "$.sequences.questions[0].options[1].at": finer,
    }
    whole = put("started_at", "2018-01-23T21:42:42.205001000Z"), put("max_attempts", "1.500000000")
    assert judged(*whole).unmapped is None


def test_no_text_is_shorter_than_its_canonical_spelling() -> None:
    """Else a -0 could hide in a text that is as long as what becomes of it."""
    for code in (*range(0x3000), 0xD7FF, 0xE000, 0xFFFF, 0x1F600, 0x10FFFF):
        spellings = [chr(code).encode(), json.dumps(chr(code)).encode()[1:-1]]
        for text in spellings:
            with contextlib.suppress(msgspec.DecodeError):  # has to be escaped
                value = msgspec.json.decode(b'"%s"' % text)
                assert len(msgspec.json.encode(value)) <= len(text) + 2
    for number in (b"1e3", b"1.0", b"1E0"):  # no whole number has an exponent or a point
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(number, type=int)


def test_a_negative_zero_is_refused_without_unknown_keys_too() -> None:
    verdict = judge(text_with('"attempt":1', '"attempt":-0'))
    assert reason(verdict) == ("out_of_range", "$")
    assert judge(text_with('"attempt":1', '"attempt":0')).rule is None


@pytest.mark.parametrize(
    "path",
    [
        "certification",
        "sequences.counts",
        *(f"sequences.questions.0.options.1.{key}" for key in ("at", "correct", "submitted")),
    ],
)
def test_null_and_an_absent_key_are_accepted_and_are_other_contents(path: str) -> None:
    null, absent = judged(put(path, None)), judged(drop(path))
    assert (null.rule, absent.rule) == (None, None)
    assert null.fingerprint != absent.fingerprint


def test_every_rule_has_one_line_of_meaning() -> None:
    for rule in Rule:
        assert re.fullmatch(r"[A-Z].+\.", rule.meaning)


# Properties


def leaf_paths(node: object, path: str = "") -> list[str]:
    if isinstance(node, dict):
        return [leaf for key in node for leaf in leaf_paths(node[key], f"{path}.{key}")]
    if isinstance(node, list):
        return [leaf for i, item in enumerate(node) for leaf in leaf_paths(item, f"{path}.{i}")]
    return [path.removeprefix(".")]


def shuffled(node: Any, chance: random.Random) -> Any:
    if isinstance(node, dict):
        keys = chance.sample(list(node), len(node))
        return {key: shuffled(node[key], chance) for key in keys}
    return [shuffled(item, chance) for item in node] if isinstance(node, list) else node


TIMES = st.one_of(
    st.datetimes(datetime(1965, 1, 1), datetime(2205, 1, 1)).map(lambda at: at.isoformat() + "Z"),
    st.from_regex(
        r"(19[678]|20[0-9]|2[12]0)[0-9]-(0[0-9]|1[0-4])-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]"
        r"(\.[0-9]{0,10})?(Z|z|[+-][0-2][0-9]:[0-6][0-9])?",
        fullmatch=True,
    ),
    st.text(max_size=30),
)


@given(TIMES, TIMES)
def test_a_time_that_looks_plain_has_no_fault_and_no_digits_too_many(one: str, other: str) -> None:
    document = attempt()
    options = document["sequences"]["questions"][0]["options"]
    options[0]["at"], options[1]["at"] = one, other
    message = msgspec.convert(document, Message)
    if contract.has_plain_times(encoded(document)):
        assert contract.first_fault(message) is None
        assert contract.finer_than_columns(message) == {}
    assert contract.has_plain_times(encoded(attempt()))


@given(st.binary(max_size=200))
def test_no_bytes_make_judge_raise(value: bytes) -> None:
    verdict = judge(value)
    assert verdict.rule in set(Rule)
    assert verdict.fingerprint is None


@given(st.data())
def test_no_damage_to_a_genuine_message_makes_judge_raise(data: st.DataObject) -> None:
    text = encoded(attempt())
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    damaged = text[:start] + data.draw(st.binary(max_size=20)) + text[end:]
    assert (judge(damaged).rule is None) == (judge(damaged).fingerprint is not None)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.sampled_from(leaf_paths(attempt())), json_values)
def test_any_value_in_any_place_gets_a_verdict_that_can_be_stored(path: str, value: Any) -> None:
    verdict = judged(put(path, value))
    assert (verdict.rule is None) == (verdict.fingerprint is not None)
    for text in verdict:
        if isinstance(text, str):
            text.encode()  # raises for half a surrogate pair, which no table can hold


def in_order(values: Iterable[object]) -> list[str]:
    return sorted(json.dumps(value, sort_keys=True) for value in values)


@given(st.dictionaries(st.text(max_size=20), json_values, max_size=3))
def test_any_unknown_keys_are_kept_as_they_are(extra: dict[str, Any]) -> None:
    unknown = {key: value for key, value in extra.items() if key not in attempt()}
    verdict = judge(json.dumps(unknown | attempt()).encode())
    assert verdict.rule is None
    kept = json.loads(verdict.unmapped) if verdict.unmapped else {}
    assert in_order(kept.values()) == in_order(unknown.values())


@given(st.randoms(use_true_random=False), st.sampled_from([None, 1, "\t"]), st.booleans())
def test_key_order_whitespace_and_escapes_do_not_change_the_verdict(
    chance: random.Random, indent: int | str | None, escape: bool
) -> None:
    named = put("exam_name", "Ünïcode / \U0001f600"), put("hint", {"b": 1, "a": 2})
    document = attempt()
    for edit in named:
        edit(document)
    text = json.dumps(shuffled(document, chance), indent=indent, ensure_ascii=escape)
    assert judge(text.encode()) == judged(*named)


@pytest.mark.parametrize("path", leaf_paths(attempt()))
def test_any_changed_leaf_changes_the_fingerprint(path: str) -> None:
    holder, last = _holder(attempt(), path)
    match holder[last]:
        case bool(truth):
            changed: object = not truth
        case int(number):
            changed = number + 7
        case "correct" | "unanswered":
            changed = "incorrect"
        case "false":
            changed = "true"
        case text:
            changed = text.replace("1", "0", 1) if "1" in text else text + "x"
    verdict = judged(put(path, changed))
    assert verdict.rule is None, verdict
    assert verdict.fingerprint != judged().fingerprint


# Batches

VALUES = [
    encoded(attempt()),
    None,
    b"",
    b"[1]",
    text_with("attempt-1", "attempt-é"),
    encoded(attempt() | {"hint": 1}),
    b"{",
]


@pytest.mark.parametrize(
    "kind",
    [
        pa.binary(),
        pa.large_binary(),
        pa.binary_view(),
        pa.string(),
        pa.large_string(),
        pa.string_view(),
    ],
    ids=str,
)
def test_a_batch_of_any_binary_or_text_type_gets_the_verdicts_of_its_values(
    kind: pa.DataType,
) -> None:
    values = pa.array(VALUES, pa.binary()).cast(kind)
    batch = judge_batch(values, pa.nulls(len(values), pa.string()))
    assert batch.schema == VERDICT_SCHEMA
    assert batch.to_pylist() == [judge(value)._asdict() for value in VALUES]


@given(
    st.lists(st.tuples(st.sampled_from([*VALUES, b"\xff"]), st.none() | st.text(max_size=5))),
    st.data(),
)
def test_a_slice_of_a_batch_gets_the_verdicts_of_its_values(
    rows: list[tuple[bytes | None, str | None]], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(rows)))
    length = data.draw(st.integers(0, len(rows) - start))
    values = pa.array([value for value, _ in rows], pa.binary()).slice(start, length)
    defects = pa.array([defect for _, defect in rows], pa.string()).slice(start, length)
    expected = [judge(*row)._asdict() for row in rows[start : start + length]]
    assert judge_batch(values, defects).to_pylist() == expected


def test_a_batch_without_any_byte_has_verdicts_too() -> None:
    assert (
        judge_batch(pa.nulls(2, pa.binary()), pa.nulls(2, pa.string())).to_pylist()
        == [judge(None)._asdict()] * 2
    )
    assert judge_batch(pa.array([], pa.binary()), pa.array([], pa.string())).num_rows == 0


def test_values_and_defects_of_different_length_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="1 values, but 2 source defects"):
        judge_batch(pa.array([b""]), pa.nulls(2, pa.string()))
