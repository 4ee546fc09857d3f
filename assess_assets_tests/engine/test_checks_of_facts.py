"""Checks of facts across tables: each damage is found, with exactly the rows that it damaged.

`failing_rows` also compares the engine's answer with DuckDB's, where people run the query.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from assess_assets.checks import counting
from assess_assets.checks.examine import examine
from assess_assets.checks.facts import coordinates_of
from assess_assets.checks.registry import checks_of
from assess_assets.checks.verdicts import Verdict
from assess_assets.storage.delta import LostRace, replace
from assess_assets.tables.attempts import COUNTS
from assess_assets.tables.contract import TableContract
from assess_assets.tables.detail import OPTIONS, QUESTIONS
from assess_assets_tests.damage import Damaged, Row, another, where_it_was
from assess_assets_tests.deliveries import lines, message
from assess_assets_tests.steps import CUSTOMER, Steps

MESSY = "source = 'messy.ndjson'"


@pytest.fixture(autouse=True, params=["a small table", "a large table"])
def asked_as_of(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts about a large table are suspected first, and then they must find the same rows."""
    if request.param == "a large table":
        monkeypatch.setattr(counting, "LARGE_ROWS", 1)


def _failed(damaged: Damaged, table: str, name: str) -> list[Row]:
    """The rows that the check's query lists; the verdict says the same of them."""
    verdict = damaged.verdicts(table)[name]
    rows = damaged.failing_rows(table, name)
    assert not verdict.passed
    assert verdict.blocking
    assert verdict.metadata["failing_rows"] == len(rows)
    assert f"Customer globex, table {table}: {len(rows)} row" in verdict.description
    sample = verdict.metadata["sample"].value.splitlines()
    assert sample[0] == f"| {' | '.join(rows[0])} |"
    assert len(sample) == 2 + min(len(rows), 10)
    assert verdict.metadata["command"].value.startswith('assess sql --customer globex "')
    return rows


def _row(damaged: Damaged, table: str, **wanted: Any) -> int:
    """Place of the first row with these values."""
    for index, row in enumerate(damaged.rows(table)):
        if wanted.items() <= row.items():
            return index
    raise AssertionError(f"{table} has no row with {wanted}")


def test_a_message_that_was_claimed_and_not_landed(damaged: Damaged) -> None:
    damaged.delete("raw_messages", f"{MESSY} and offset = 3")
    (row,) = _failed(damaged, "raw_messages", "claimed_ranges_are_landed")
    assert (row["source"], row["batch"]) == ("messy.ndjson", 1)
    assert (row["messages"], row["landed"]) == (55, 54)


@pytest.mark.parametrize("wrong", [{"end_offset": 60}, {"start_offset": -5}])
def test_a_range_of_a_file_with_offsets_that_have_no_message(wrong: Row, damaged: Damaged) -> None:
    index = _row(damaged, "source_ranges", source="messy.ndjson")
    damaged.change("source_ranges", index, **wrong)
    (row,) = _failed(damaged, "raw_messages", "claimed_ranges_are_landed")
    assert (row["source"], row["messages"], row["landed"]) == ("messy.ndjson", 55, 55)


def test_a_message_that_was_landed_and_not_claimed(damaged: Damaged) -> None:
    before = damaged.repeat("raw_messages", 0, offset=9_999)
    (row,) = _failed(damaged, "raw_messages", "landed_messages_were_claimed")
    assert where_it_was(row) == where_it_was(before | {"offset": 9_999})
    assert row["differs"].startswith("claim")


NOT_OF_ITS_CLAIM: list[Row] = [
    {"timestamp": None},
    {"timestamp": datetime(2020, 1, 1, tzinfo=UTC)},
    {"ingested_at": datetime(2020, 1, 1, tzinfo=UTC)},
    {"timestamp_type": "create_time"},
    {"key": b"key"},
    {"headers": []},
]


@pytest.mark.parametrize("wrong", NOT_OF_ITS_CLAIM)
def test_a_message_that_says_what_its_claim_does_not(wrong: Row, damaged: Damaged) -> None:
    before = damaged.change("raw_messages", 0, **wrong)
    rows = _failed(damaged, "raw_messages", "landed_messages_were_claimed")
    assert rows == [where_it_was(before) | {"differs": next(iter(wrong))}]


def test_a_message_without_a_fate(damaged: Damaged) -> None:
    damaged.delete("message_ledger", f"{MESSY} and offset in (3, 5)")
    rows = _failed(damaged, "message_ledger", "every_message_has_one_fate")
    assert [(row["offset"], row["messages"], row["fates"]) for row in rows] == [
        (3, 1, 0),
        (5, 1, 0),
    ]


def test_a_fate_without_a_message_and_a_second_fate(damaged: Damaged) -> None:
    damaged.delete("raw_messages", f"{MESSY} and offset = 3")
    damaged.repeat("message_ledger", 5)
    rows = _failed(damaged, "message_ledger", "every_message_has_one_fate")
    assert [(row["offset"], row["messages"], row["fates"]) for row in rows] == [
        (3, 0, 1),
        (5, 1, 2),
    ]


def test_messages_beyond_the_watermark_need_no_fate_yet(damaged: Damaged) -> None:
    damaged.delete("message_ledger", "batch = 2")
    assert damaged.verdicts("message_ledger")["every_message_has_one_fate"].passed


def test_an_emptied_ledger_excuses_no_message(damaged: Damaged) -> None:
    messages = len(damaged.rows("raw_messages"))
    damaged.delete("message_ledger", "batch > 0")
    rows = _failed(damaged, "message_ledger", "every_message_has_one_fate")
    assert len(rows) == messages


@pytest.mark.parametrize(
    ("table", "fate"),
    [
        ("assessments", "accepted"),
        ("quarantined_messages", "quarantined"),
        ("conflicting_assessments", "conflict"),
    ],
)
def test_a_message_that_is_not_in_the_table_of_its_fate(
    table: str, fate: str, damaged: Damaged
) -> None:
    lost = where_it_was(damaged.rows(table)[0])
    damaged.delete(table, f"source = '{lost['source']}' and offset = {lost['offset']}")
    rows = _failed(damaged, "message_ledger", "fates_match_their_tables")
    assert rows == [lost | {"fate_in_ledger": fate, "kept_as": "none"}]


def test_a_row_whose_message_has_another_fate(damaged: Damaged) -> None:
    index = _row(damaged, "message_ledger", fate="quarantined")
    before = damaged.change("message_ledger", index, fate="duplicate")
    rows = _failed(damaged, "message_ledger", "fates_match_their_tables")
    assert rows == [where_it_was(before) | {"fate_in_ledger": "another", "kept_as": "quarantined"}]


def test_rows_that_a_crash_left_beyond_the_watermark_are_no_failure(damaged: Damaged) -> None:
    damaged.repeat("assessments", 0, batch=99)
    assert damaged.verdicts("message_ledger")["fates_match_their_tables"].passed


def test_a_ledger_that_disagrees_with_the_parsed_attempt(damaged: Damaged) -> None:
    wrong = {"fingerprint": "another", "question_count": 77, "option_count": 77}
    before = damaged.change("message_ledger", 0, user_exam_id="somebody else", **wrong)
    (row,) = _failed(damaged, "message_ledger", "validator_and_parser_agree")
    assert where_it_was(row) == where_it_was(before)
    assert row["differs"] == "user_exam_id, fingerprint, questions, options"


def _lose_a_question(row: Row) -> None:
    del row["questions"][0]


def _lose_an_option(row: Row) -> None:
    del row["questions"][0]["options"][0]


def _lose_all(row: Row) -> None:
    row["questions"] = None


@pytest.mark.parametrize(
    ("lose", "differs"),
    [
        (_lose_a_question, "questions, options"),
        (_lose_an_option, "options"),
        (_lose_all, "questions, options"),
    ],
)
def test_a_part_of_an_attempt_that_the_parser_lost(
    lose: Callable[[Row], None], differs: str, damaged: Damaged
) -> None:
    before = damaged.rows("assessments")[0]
    damaged.rewrite("assessments", lambda rows: lose(rows[0]))
    (row,) = _failed(damaged, "message_ledger", "validator_and_parser_agree")
    assert where_it_was(row) == where_it_was(before)
    assert row["differs"] == differs


def test_values_that_the_parser_lost_of_a_question(damaged: Damaged) -> None:
    before = damaged.rows("assessments")[1]
    names = {"id", "user_result", "user_correct", "user_incomplete", "user_submitted", "options"}
    damaged.rewrite(
        "assessments", lambda rows: rows[1]["questions"][1].update(dict.fromkeys(names))
    )
    (row,) = _failed(damaged, "assessments", "parsed_questions_are_filled")
    assert where_it_was(row) == where_it_was(before)
    assert set(row["empty_fields"].split(", ")) == names


def test_values_that_the_parser_lost_of_an_option(damaged: Damaged) -> None:
    before = damaged.rows("assessments")[1]
    damaged.rewrite(
        "assessments",
        lambda rows: rows[1]["questions"][1]["options"][1].update({"id": None, "checked": None}),
    )
    rows = _failed(damaged, "assessments", "parsed_options_are_filled")
    assert rows == [where_it_was(before) | {"empty_fields": "id, checked"}]


@pytest.mark.parametrize(
    "column", ["computed_all_correct", "score", "keen_timestamp", "keen_created_at_seconds"]
)
def test_an_attempt_that_contradicts_itself(column: str, damaged: Damaged) -> None:
    index = next(i for i, row in enumerate(damaged.rows("assessments")) if row["score"])
    value = damaged.rows("assessments")[index][column]
    wrong = value + 1 if isinstance(value, Decimal) else another(value)
    before = damaged.change("assessments", index, **{column: wrong})
    (row,) = _failed(damaged, "assessments", "attempts_agree_with_themselves")
    assert where_it_was(row) == where_it_was(before)
    assert column.removesuffix("_seconds") in row["differs"].split(", ")


def test_attempts_that_tell_another_mismatch(damaged: Damaged) -> None:
    wrong = [row for row in damaged.rows("assessments") if row["mismatch"] != "counts"]
    damaged.rewrite("assessments", lambda rows: [row.update(mismatch="counts") for row in rows])
    rows = _failed(damaged, "assessments", "attempts_agree_with_themselves")
    assert _sorted(rows) == _sorted(where_it_was(row) | {"differs": "mismatch"} for row in wrong)


def test_counts_that_are_reported_in_part(damaged: Damaged) -> None:
    index = next(i for i, row in enumerate(damaged.rows("assessments")) if row["score"])
    before = damaged.change("assessments", index, reported_incomplete=None)
    (row,) = _failed(damaged, "assessments", "attempts_agree_with_themselves")
    assert row == where_it_was(before) | {"differs": "reported_incomplete"}


def test_attempts_that_count_other_questions_than_theirs(damaged: Damaged) -> None:
    before = damaged.rows("assessments")[: len(COUNTS)]

    def change(rows: list[Row]) -> None:
        for row, name in zip(rows, COUNTS, strict=False):
            row[f"computed_{name}"] += 1
        rows[len(COUNTS)]["mismatch"] = "options"

    last = damaged.rows("assessments")[len(COUNTS)]
    damaged.rewrite("assessments", change)
    rows = _failed(damaged, "questions", "attempts_count_their_questions")
    assert _sorted(rows) == _sorted(
        where_it_was(row) | {"differs": differs}
        for row, differs in zip(
            [*before, last], [*(f"computed_{name}" for name in COUNTS), "mismatch"], strict=True
        )
    )


@pytest.mark.parametrize("fate", ["duplicate", "conflict"])
@pytest.mark.parametrize("change", [{"refers_to_offset": 9_999}, {"user_exam_id": "other"}])
def test_a_copy_without_its_original(fate: str, change: Row, damaged: Damaged) -> None:
    before = damaged.change("message_ledger", _row(damaged, "message_ledger", fate=fate), **change)
    rows = _failed(damaged, "message_ledger", "every_copy_has_its_original")
    assert [where_it_was(row) for row in rows] == [where_it_was(before)]
    assert rows[0]["fate"] == fate


@pytest.mark.parametrize("count", ["question_count", "option_count"])
def test_a_copy_that_counts_otherwise_than_its_original(count: str, damaged: Damaged) -> None:
    index = _row(damaged, "message_ledger", fate="duplicate")
    before = damaged.change("message_ledger", index, **{count: 99})
    (row,) = _failed(damaged, "message_ledger", "every_copy_has_its_original")
    assert where_it_was(row) == where_it_was(before)


def test_a_copy_that_is_told_to_be_the_first_to_arrive(damaged: Damaged) -> None:
    copy = _row(damaged, "message_ledger", fate="duplicate")
    rows = damaged.rows("message_ledger")
    first = _row(
        damaged,
        "message_ledger",
        source=rows[copy]["refers_to_source"],
        offset=rows[copy]["refers_to_offset"],
    )
    later, earlier = rows[copy]["offset"], rows[first]["offset"]
    assert rows[copy]["source"] == rows[first]["source"]
    rows[first]["offset"], rows[copy]["offset"] = later, earlier
    rows[copy]["refers_to_offset"] = later
    damaged.replace("message_ledger", rows)
    found = _failed(damaged, "message_ledger", "every_copy_has_its_original")
    assert earlier in [row["offset"] for row in found]


def test_a_build_that_builds_does_not_know(damaged: Damaged) -> None:
    messages = len(damaged.rows("message_ledger"))
    damaged.delete("builds", "build > 0")
    rows = _failed(damaged, "message_ledger", "every_build_is_known")
    assert rows == [{"build": 1, "messages": messages}]


KEPT_WRONG: list[tuple[str, Row, str]] = [
    ("conflicting_assessments", {"user_exam_id": "x"}, "user_exam_id"),
    ("conflicting_assessments", {"fingerprint": "x"}, "fingerprint"),
    ("conflicting_assessments", {"accepted_source": "x"}, "accepted_source"),
    ("conflicting_assessments", {"accepted_partition": 9}, "accepted_partition"),
    ("conflicting_assessments", {"accepted_offset": 999}, "accepted_offset"),
    ("quarantined_messages", {"rule": "not_utf8", "json_path": None}, "why"),
    ("conflicting_assessments", {"build": 7}, "build"),
    ("quarantined_messages", {"build": 7}, "build"),
]


@pytest.mark.parametrize(("table", "wrong", "differs"), KEPT_WRONG)
def test_a_kept_message_of_which_the_ledger_says_something_else(
    table: str, wrong: Row, differs: str, damaged: Damaged
) -> None:
    before = damaged.change(table, 0, **wrong)
    (row,) = _failed(damaged, "message_ledger", "kept_messages_agree_with_the_ledger")
    assert where_it_was(row) == where_it_was(before)
    assert row["differs"] == differs


@pytest.mark.parametrize(
    ("fate", "wrong", "differs"),
    [
        (
            "quarantined",
            {"user_exam_id": "x", "fingerprint": "y", "question_count": 1, "option_count": 2},
            "user_exam_id, fingerprint, question_count, option_count",
        ),
        ("quarantined", {"why": "x"}, "why"),
        ("accepted", {"refers_to_source": "x"}, "refers_to"),
    ],
)
def test_a_row_of_the_ledger_that_says_what_its_fate_cannot(
    fate: str, wrong: Row, differs: str, damaged: Damaged
) -> None:
    index = _row(damaged, "message_ledger", fate=fate)
    before = damaged.change("message_ledger", index, **wrong)
    (row,) = _failed(damaged, "message_ledger", "kept_messages_agree_with_the_ledger")
    assert (where_it_was(row), row["differs"]) == (where_it_was(before), differs)


@pytest.mark.parametrize(
    ("wrong", "told"), [({"rule": "bogus"}, False), ({"rule": "not_json", "value": None}, True)]
)
def test_a_quarantined_message_without_its_bytes_or_a_rule_of_the_contract(
    wrong: Row, told: bool, damaged: Damaged
) -> None:
    before = damaged.change("quarantined_messages", 0, **wrong)
    rows = _failed(damaged, "quarantined_messages", "quarantined_messages_are_whole")
    assert rows == [where_it_was(before) | {"rule": wrong["rule"], "has_no_value": told}]


@pytest.mark.parametrize("wrong", [{"build": 7}, {"batch": 7}])
def test_a_report_of_a_build_or_batch_that_the_ledger_has_not_reached(
    wrong: Row, damaged: Damaged
) -> None:
    before = damaged.change("customer_report", 0, **wrong)
    (row,) = _failed(damaged, "customer_report", "the_report_has_every_format")
    assert row["format"] == before["format"]
    assert wrong.items() <= row.items()


def test_a_report_that_lost_a_format(damaged: Damaged) -> None:
    messages = len(damaged.rows("message_ledger"))
    damaged.delete("customer_report", "format = 'html'")
    rows = _failed(damaged, "customer_report", "the_report_has_every_format")
    assert rows == [{"format": "html", "messages": messages, "build": None, "batch": None}]


def test_a_customer_without_messages_needs_no_report(damaged: Damaged) -> None:
    damaged.delete("customer_report", "build > 0")
    damaged.delete("message_ledger", "build > 0")
    assert damaged.verdicts("customer_report")["the_report_has_every_format"].passed


def test_questions_without_their_attempt(damaged: Damaged) -> None:
    lost = damaged.rows("assessments")[0]
    damaged.delete("assessments", f"user_exam_id = '{lost['user_exam_id']}'")
    rows = _failed(damaged, "questions", "every_question_has_its_attempt")
    assert [(where_it_was(row), row["position"]) for row in rows] == [
        (where_it_was(lost), position) for position in range(len(lost["questions"]))
    ]


def test_a_question_of_another_message_than_its_attempt(damaged: Damaged) -> None:
    before = damaged.change("questions", 0, offset=9_999)
    (row,) = _failed(damaged, "questions", "every_question_has_its_attempt")
    assert where_it_was(row) == where_it_was(before | {"offset": 9_999})


def test_options_without_their_question(damaged: Damaged) -> None:
    lost = damaged.change("questions", 0, question_id="another")
    rows = _failed(damaged, "options", "every_option_has_its_question")
    assert [where_it_was(row) for row in rows] == [where_it_was(lost)] * lost["options_shown"]
    assert {row["question_id"] for row in rows} == {lost["question_id"]}


def test_an_attempt_that_lost_a_question(damaged: Damaged) -> None:
    lost = damaged.rows("questions")[0]
    damaged.rewrite("questions", lambda rows: rows.pop(0))
    (row,) = _failed(damaged, "questions", "every_attempt_has_all_its_questions")
    assert where_it_was(row) == where_it_was(lost)
    assert row["question_rows"] == row["question_count"] - 1
    assert row["options_shown"] == row["option_count"] - lost["options_shown"]


def test_an_attempt_that_lost_all_questions(damaged: Damaged) -> None:
    first = damaged.rows("assessments")[0]
    damaged.delete("questions", f"user_exam_id = '{first['user_exam_id']}'")
    (row,) = _failed(damaged, "questions", "every_attempt_has_all_its_questions")
    assert (where_it_was(row), row["question_rows"]) == (where_it_was(first), 0)


def test_a_question_that_lost_an_option_and_one_that_has_one_twice(damaged: Damaged) -> None:
    lost = damaged.rows("options")[0]
    twice = damaged.repeat("options", -1)
    damaged.rewrite("options", lambda rows: rows.pop(0))
    rows = _failed(damaged, "options", "every_question_has_all_its_options")
    found = {(row["source"], row["offset"], row["position"]): row["option_rows"] for row in rows}
    assert found == {
        (each["source"], each["offset"], each["question_position"]): _shown(damaged, each) + more
        for each, more in ((lost, -1), (twice, 1))
    }


def test_questions_and_options_at_positions_that_were_never_shown(damaged: Damaged) -> None:
    index = _row(damaged, "questions", position=1)
    question = damaged.change("questions", index, position=77)
    (row,) = _failed(damaged, "questions", "every_attempt_has_all_its_questions")
    assert where_it_was(row) == where_it_was(question)
    assert (row["first_position"], row["last_position"]) == (0, 77)


@pytest.mark.parametrize("position", [7, 70])
def test_an_option_at_a_position_that_was_never_shown(position: int, damaged: Damaged) -> None:
    option = damaged.change("options", 0, position=position)
    (row,) = _failed(damaged, "options", "every_question_has_all_its_options")
    assert where_it_was(row) == where_it_was(option)
    assert row["last_position"] == position


def _shown(damaged: Damaged, option: Row) -> int:
    wanted = {"user_exam_id": option["user_exam_id"], "position": option["question_position"]}
    shown: int = damaged.rows("questions")[_row(damaged, "questions", **wanted)]["options_shown"]
    return shown


QUESTIONS_EQUAL = "questions_equal_those_of_their_attempts"
OPTIONS_EQUAL = "options_equal_those_of_their_attempts"
DETAIL = [(QUESTIONS, QUESTIONS_EQUAL), (OPTIONS, OPTIONS_EQUAL)]
of_questions_and_of_options = pytest.mark.parametrize(
    ("table", "name"), DETAIL, ids=lambda value: getattr(value, "name", "")
)
# What a question says about its options, is compared with options.
COUNTED = (
    "options_checked",
    "options_correct",
    "options_correct_checked",
    "computed_result",
    "first_answered_at",
    "last_answered_at",
)


@of_questions_and_of_options
def test_each_value_that_is_not_as_the_attempt_says(
    table: TableContract, name: str, damaged: Damaged
) -> None:
    where = coordinates_of(table)
    values = [
        each for each in table.column_names if each not in {*table.key, *where, *COUNTED, "build"}
    ]
    wrong = damaged.rows(table.name)[: len(values)]
    for row, column in zip(wrong, values, strict=True):
        row[column] = another(row[column] or _of_its_type(table, column))
    damaged.replace(table.name, wrong + damaged.rows(table.name)[len(values) :])
    found = _failed(damaged, table.name, name)
    assert _sorted(found) == _sorted(
        {each: row[each] for each in where} | {"differs": column}
        for row, column in zip(wrong, values, strict=True)
    )


@of_questions_and_of_options
def test_a_row_that_took_the_place_of_its_neighbour(
    table: TableContract, name: str, damaged: Damaged
) -> None:
    where = coordinates_of(table)
    rows = damaged.rows(table.name)
    lost = {each: rows[1][each] for each in where}
    damaged.replace(table.name, [rows[0], rows[0], *rows[2:]])
    assert _failed(damaged, table.name, name) == [lost | {"differs": "is missing"}]


@of_questions_and_of_options
def test_a_row_that_no_attempt_has(table: TableContract, name: str, damaged: Damaged) -> None:
    before = damaged.repeat(table.name, 0, position=77)
    (row,) = _failed(damaged, table.name, name)
    where = {each: before[each] for each in coordinates_of(table)}
    assert row == where | {"position": 77, "differs": "is of no attempt"}


def test_questions_of_an_attempt_in_reverse_order(damaged: Damaged) -> None:
    first = damaged.rows("assessments")[0]
    last = len(first["questions"]) - 1
    assert last

    def reverse(rows: list[Row]) -> None:
        for row in rows:
            if row["user_exam_id"] == first["user_exam_id"]:
                row["position"] = last - row["position"]

    damaged.rewrite("questions", reverse)
    rows = _failed(damaged, "questions", QUESTIONS_EQUAL)
    assert {row["position"] for row in rows} >= {0, last}
    assert all(where_it_was(row) == where_it_was(first) for row in rows)
    assert all("question_id" in row["differs"] for row in rows)


@pytest.mark.parametrize("column", COUNTED)
def test_a_question_that_says_of_its_options_what_they_do_not(
    column: str, damaged: Damaged
) -> None:
    index = next(i for i, row in enumerate(damaged.rows("questions")) if row["last_answered_at"])
    value = damaged.rows("questions")[index][column]
    before = damaged.change("questions", index, **{column: another(value)})
    (row,) = _failed(damaged, "options", "every_question_has_all_its_options")
    assert where_it_was(row) == where_it_was(before)
    assert (row["position"], row["differs"]) == (before["position"], column)


@of_questions_and_of_options
def test_attempts_that_a_crash_left_are_not_exploded_yet(
    table: TableContract, name: str, damaged: Damaged
) -> None:
    damaged.repeat("assessments", 0, batch=99, user_exam_id="left behind")
    assert damaged.verdicts(table.name)[name].passed


def _of_its_type(table: TableContract, column: str) -> Any:
    """What is not null, of the column's type."""
    kinds = {each.name: each.type.simpleString() for each in table}
    told = {
        "boolean": False,
        "bigint": 0,
        "string": "",
        "timestamp": datetime(2020, 1, 1, tzinfo=UTC),
    }
    return told[kinds[column]]


def _sorted(rows: Iterable[Row]) -> list[str]:
    return sorted(str(sorted(row.items())) for row in rows)


def test_tables_that_two_runs_are_writing_are_no_damage(
    spark: SparkSession, tmp_path: Path
) -> None:
    acme = Steps(spark, tmp_path)
    acme.land("a.ndjson", lines(message("a"), message("b")))
    acme.run()
    options, questions = (acme.lake.pin(table, CUSTOMER) for table in (OPTIONS, QUESTIONS))
    more = questions.read(spark).withColumn("options_shown", F.col("options_shown") + 1)
    replace(questions, more, "true", {"run_id": "other"})
    name = "every_question_has_all_its_options"

    def asked_by(run_id: str) -> Verdict:
        found = examine(acme.lake, CUSTOMER, acme.policy, checks_of(OPTIONS), run_id)
        return next(verdict for verdict in found if verdict.name == name)

    with pytest.raises(LostRace, match=r"table options .* run other has written questions since"):
        asked_by("run")  # which wrote options
    assert not asked_by("a later one").passed
    replace(options, options.read(spark), "true", {"run_id": "run"})
    assert not asked_by("run").passed, "nobody has written since, so it is damage"
