"""Numbers that explain themselves: recomputed, with their messages, and steps that add up.

Belongs here: `assess explain` and what is behind it. Does not: the recounts as checks
(`test_checks_of_aggregates.py`), and what SQL may reach (`test_cli_tables.py`).
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession
from typer.testing import CliRunner, Result

from assess_assets.cli.app import app
from assess_assets.explain.aggregates import EXPLAINABLE
from assess_assets.explain.explanation import Explanation, NothingToExplain, explain
from assess_assets.sample.messy import messy_lines
from assess_assets.sources.ranges import lost_rest
from assess_assets.storage.claims import claim_batch, claimed_batches
from assess_assets.storage.layout import LakeLayout
from assess_assets.storage.sandbox import customer_sql, open_tables, query
from assess_assets.tables.ingest import SOURCE_RANGES
from assess_assets.tables.reports import CUSTOMER_OVERVIEW
from assess_assets_tests.conftest import Platform
from assess_assets_tests.damage import Damaged, another
from assess_assets_tests.deliveries import FATES, lines, message, of_every_fate
from assess_assets_tests.engine.conftest import SOUND
from assess_assets_tests.steps import CUSTOMER, NOON, Steps

# What the sound platform's two batches hold: see its fixture.
FIRST = Counter(line.fate for line in messy_lines())
SECOND = Counter([*FATES, "duplicate", "quarantined"])  # a copy from the first batch, a broken file
ALL = FIRST + SECOND


def explained(
    layout: LakeLayout, customer: str, table: str, where: str | None = None
) -> Explanation:
    aggregate = EXPLAINABLE[table]
    columns = aggregate.table.column_names
    opened = open_tables(layout, customer) | open_tables(layout, customer, [aggregate.table])
    return explain(layout, customer, opened, aggregate, columns, where)


def counts(told: Explanation) -> dict[str, int]:
    """The waterfall's numbers by the first word or two that tell them apart."""
    return {step.label.split(":")[0].split(",")[0]: step.count for step in told.steps}


def is_right(told: Explanation) -> bool:
    return not told.differing and not told.unbalanced


@pytest.fixture(scope="module")
def sound(sound_platform: Platform) -> LakeLayout:
    return LakeLayout.of(sound_platform.settings.lake)


@pytest.mark.parametrize("table", EXPLAINABLE)
def test_every_value_of_every_row_equals_the_recomputed_one(table: str, damaged: Damaged) -> None:
    told = explained(damaged.lake.layout, SOUND, table)
    stored = damaged.rows(table)
    assert len(told.rows) == len(stored) > (0 if table == CUSTOMER_OVERVIEW.name else 1)
    for row, expected in zip(told.rows, stored, strict=True):
        assert {value.column: value.stored for value in row.values} == expected
        for value in row.values:
            assert value.is_equal, value
            assert type(value.recomputed) is type(value.stored)
    assert len(told.balances) >= 10
    assert told.unbalanced == []
    assert not told.is_behind


@pytest.mark.parametrize("table", EXPLAINABLE)
def test_a_wrong_value_in_any_column_is_shown_beside_the_right_one(
    table: str, damaged: Damaged
) -> None:
    keys = EXPLAINABLE[table].table.key
    row = damaged.rows(table)[-1]
    wrong = {name: another(value) for name, value in row.items() if name not in keys}
    del wrong["build"], wrong["batch"]
    damaged.change(table, -1, **wrong)
    (differing,) = explained(damaged.lake.layout, SOUND, table).differing
    assert differing.key == {name: row[name] for name in keys}
    assert {value.column: value.stored for value in differing.differing} == wrong
    for value in differing.differing:
        right = row[value.column]
        assert value.recomputed == (pytest.approx(right) if isinstance(right, float) else right)


@pytest.mark.parametrize("column", ["build", "batch"])
def test_a_row_that_claims_another_origin_differs(column: str, damaged: Damaged) -> None:
    damaged.change("exams", 0, **{column: 7})
    told = explained(damaged.lake.layout, SOUND, "exams")
    assert column in {value.column for row in told.differing for value in row.differing}


def test_a_row_that_was_made_up_has_nothing_recomputed(damaged: Damaged) -> None:
    damaged.repeat("exam_counts", 0, exam_name="Alchemy")
    told = explained(damaged.lake.layout, SOUND, "exam_counts", "exam_name = 'Alchemy'")
    (row,) = told.differing
    assert {value.recomputed for value in row.values} == {None}
    assert [one.meaning for one in told.unbalanced] == [
        "sum of attempts in these rows = counted",
        "sum of messages in these rows = counted",
    ]


def test_the_waterfall_goes_from_messages_read_through_fates_to_attempts(
    sound: LakeLayout,
) -> None:
    told = explained(sound, SOUND, "exams")
    copies = told.steps[-3].count
    assert counts(told) == {
        "offsets claimed": ALL.total(),
        "lost": 0,
        "offsets that hold no message": 0,
        "messages read": ALL.total(),
        "quarantined": ALL["quarantined"],
        "conflict": ALL["conflict"],
        "duplicate": ALL["duplicate"],
        "accepted": ALL["accepted"],
        "attempts that these rows don't count": 0,
        "attempts counted": ALL["accepted"],
        "identical copies of them": copies,
        "messages counted": ALL["accepted"] + copies,
        "questions that they showed": told.steps[-1].count,
    }
    assert 0 < copies < ALL["duplicate"], "a copy of a conflict is no copy of an attempt"
    by_source = {one.source: one for one in told.sources}
    assert by_source["messy.ndjson"].fates == dict(FIRST)
    assert by_source["cut.json.gz"].fates["quarantined"] == 1
    (span,) = by_source["messy.ndjson"].ranges
    assert (span["start_offset"], span["end_offset"]) == (0, FIRST.total())


@pytest.mark.parametrize("table", EXPLAINABLE)
def test_the_messages_of_one_row_are_those_that_its_query_lists(
    table: str, sound: LakeLayout, sound_platform: Platform
) -> None:
    row = max(sound_platform.rows(table, SOUND), key=lambda row: row.get("messages", row["batch"]))
    where = " and ".join(f"{key} = '{row[key]}'" for key in EXPLAINABLE[table].table.key)
    told = explained(sound, SOUND, table, f"{where} -- and a comment")
    assert is_right(told)
    with customer_sql(sound, SOUND) as session:
        listed = query(session, told.messages_query).to_pylist()
    assert listed[:5] == told.messages
    assert len(listed) == told.messages_counted == row.get("messages", row.get("shown"))
    fates = Counter(each["fate"] for each in listed)
    assert fates["accepted"] == counts(told)["attempts counted"]
    ledger = {
        (each["source"], each["offset"]): each["fate"]
        for each in sound_platform.rows("message_ledger", SOUND)
    }
    assert all(ledger[each["source"], each["offset"]] == each["fate"] for each in listed)


@pytest.mark.parametrize("table", EXPLAINABLE)
def test_what_a_condition_of_chance_selects_adds_up_too(table: str, sound: LakeLayout) -> None:
    told = explained(sound, SOUND, table, "random() < 0.5 or true")
    assert is_right(told)
    for _ in range(5):
        try:
            told = explained(sound, SOUND, table, "random() < 0.7")
        except NothingToExplain:
            continue
        assert is_right(told), told.unbalanced


def test_the_overview_is_explained_by_the_customers_row_alone(damaged: Damaged) -> None:
    damaged.repeat("customer_overview", 0, customer="rival", messages=999)
    told = explained(damaged.lake.layout, SOUND, "customer_overview", "messages > 0")
    assert is_right(told)
    assert [row.key for row in told.rows] == [{"customer": SOUND}]
    assert told.messages_counted == ALL.total()
    peeking = "exists (select 1 from customer_overview o where o.customer = 'rival')"
    with pytest.raises(NothingToExplain):
        explained(damaged.lake.layout, SOUND, "customer_overview", peeking)


def test_an_aggregate_that_is_behind_is_explained_up_to_its_batch(damaged: Damaged) -> None:
    for table in EXPLAINABLE:
        log = DeltaTable(damaged.uri(table))
        earlier = [DeltaTable(damaged.uri(table), version=v) for v in range(log.version())]
        rows = [one.to_pyarrow_table().to_pylist() for one in earlier]
        damaged.replace(table, next(each for each in rows if each and each[0]["batch"] == 1))
        told = explained(damaged.lake.layout, SOUND, table)
        assert told.is_behind
        assert told.later_messages == SECOND.total()
        assert counts(told)["messages read"] == FIRST.total()
        assert is_right(told)


@pytest.mark.parametrize(
    ("table", "unbalanced"),
    [
        ("raw_messages", {"messages of", "messages read"}),
        ("message_ledger", {"messages read", "accepted ="}),
        ("quarantined_messages", {"quarantined ="}),
        ("conflicting_assessments", {"conflicts ="}),
        ("assessments", {"accepted =", "sum of"}),
    ],
)
def test_a_message_that_went_missing_anywhere_breaks_a_balance(
    table: str, unbalanced: set[str], damaged: Damaged
) -> None:
    lost = next(row for row in damaged.rows(table) if row.get("fate") in (None, "accepted"))
    damaged.rewrite(table, lambda rows: rows.remove(lost))
    told = explained(damaged.lake.layout, SOUND, "exam_counts")
    broken = [one.meaning for one in told.unbalanced]
    for start in unbalanced:
        assert any(meaning.startswith(start) for meaning in broken), (start, broken)


def test_a_topic_may_have_offsets_without_a_message_and_a_file_may_not(damaged: Damaged) -> None:
    def stretch(rows: list[dict[str, Any]], **changes: Any) -> None:
        rows[0].update(end_offset=rows[0]["end_offset"] + 3, **changes)

    damaged.rewrite("source_ranges", stretch)
    (file,) = explained(damaged.lake.layout, SOUND, "exams").unbalanced
    assert (file.left, file.right) == (FIRST.total(), FIRST.total() + 3)
    damaged.rewrite("source_ranges", lambda rows: rows[0].update(size_bytes=None))
    told = explained(damaged.lake.layout, SOUND, "exams")
    assert is_right(told)
    assert counts(told)["offsets that hold no message"] == 3


@pytest.fixture
def acme(spark: SparkSession, tmp_path: Path) -> Steps:
    return Steps(spark, tmp_path / "acme")


def test_an_accepted_loss_and_a_refused_file_are_part_of_it(acme: Steps) -> None:
    acme.max_messages = 6
    text = lines(*of_every_fate(), message("d"), message("e"))
    acme.land("a.ndjson", text).unlink()
    acme.land("a.ndjson", text)
    acme.run()
    claims = acme.lake.pin(SOURCE_RANGES, CUSTOMER)
    batches = claimed_batches(claims)
    lost = lost_rest(batches[-1].ranges[-1], "the disk broke")
    claim_batch(claims, batches, [lost], NOON, "accept-loss")
    for name in ("b.ndjson", "c.ndjson"):  # the second one's content has landed as the first
        acme.land(name, lines(message("f")))
    acme.run()
    told = explained(acme.lake.layout, CUSTOMER, "exam_counts")
    assert is_right(told)
    assert counts(told)["offsets claimed"] == 11
    assert counts(told)["lost"] == 4
    assert counts(told)["messages read"] == 7
    spans = [(span["kind"], span["note"]) for one in told.sources for span in one.ranges]
    assert spans[:2] == [("read", None), ("lost", "the disk broke")]


def test_it_works_while_a_rebuild_is_half_done_and_after_it(acme: Steps) -> None:
    acme.land("a.ndjson", lines(*of_every_fate()))
    acme.run()
    acme.claim_rebuild()
    acme.stop_before("exam_counts")
    half = explained(acme.lake.layout, CUSTOMER, "exam_counts")
    assert is_right(half)
    assert half.is_behind
    assert (half.made_from["build"], half.ledger["build"]) == (1, 2)
    acme.run()
    done = explained(acme.lake.layout, CUSTOMER, "exam_counts")
    assert is_right(done)
    assert not done.is_behind
    assert done.made_from == {"build": 2, "batch": 1}


def assess(lake: str | Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["explain", *arguments], env={"ASSESS_LAKE": str(lake)})


def test_the_command_tells_everything_as_text_and_as_json(sound_platform: Platform) -> None:
    lake = sound_platform.settings.lake
    asked = ("exam_performance", "average_score", "-c", SOUND, "--where", "exam_name like '%Git'")
    text = assess(lake, *asked)
    assert text.exit_code == 0, text.output
    assert "Mean of the attempts' scores. [assessments.score]" in text.stdout
    assert "Made from build 1, batches up to 2.\n" in text.stdout
    told = json.loads(assess(lake, *asked, "--json").stdout)
    (row,) = told["rows"]
    value = row["values"]["average_score"]
    assert row["key"] == {"exam_name": "Learning Git"}
    assert value["equal"]
    assert value["stored"] == pytest.approx(value["recomputed"])
    assert told["columns"][0]["sources"] == ["assessments.score"]
    versions = {table["table"]: table["version"] for table in told["tables"]}
    assert versions["message_ledger"] == sound_platform.versions(SOUND)["message_ledger"]
    assert all(balance["holds"] for balance in told["balances"])
    assert told["messages_counted"] > len(told["first_messages"]) == 5
    counted = told["messages_counted"]
    assert f"Messages counted: {counted} (the first 5 of {counted})\n" in text.stdout
    all_of_them = assess(lake, *asked, "--limit", str(counted)).stdout
    assert f"Messages counted: {counted}\n" in all_of_them


def test_the_command_fails_when_a_number_differs(damaged: Damaged) -> None:
    before = damaged.change("exam_counts", 0, attempts=999)
    for json_or_text in ([], ["--json"]):
        result = assess(damaged.root, "exam_counts", "-c", SOUND, *json_or_text)
        assert result.exit_code == 1
        assert f"- {before['exam_name']}: attempts differs from the recount" in result.stderr
        assert "- sum of attempts in these rows = counted: " in result.stderr
        assert "999" in result.stdout


@pytest.mark.parametrize(
    ("table", "column"), [("exam_counts", "messages"), ("exam_performance", "scored_attempts")]
)
def test_a_null_in_a_number_is_shown_as_what_differs(
    table: str, column: str, damaged: Damaged
) -> None:
    row = damaged.change(table, 0, **{column: None})
    result = assess(damaged.root, table, "-c", SOUND)
    assert result.exit_code == 1
    assert f"- {row['exam_name']}: {column} differs from the recount" in result.stderr
    total = sum(each[column] for each in damaged.rows(table)[1:])
    sums = f"- sum of {column} in these rows = counted: {total} and {total + row[column]}"
    assert sums in result.stderr


@pytest.mark.parametrize("column", ["build", "batch"])
def test_rows_that_do_not_say_what_they_are_from_are_to_be_made_again(
    column: str, damaged: Damaged
) -> None:
    def forget(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row[column] = None

    damaged.rewrite("exam_counts", forget)
    result = assess(damaged.root, "exam_counts", "-c", SOUND)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"Customer {SOUND}, table exam_counts (" in result.stderr
    assert f"all its rows have null in {column}, so what they are from is" in result.stderr
    assert f"assess rebuild --customer {SOUND}" in result.stderr


@pytest.mark.parametrize("fate", [None, "bogus"])
def test_a_message_of_no_fate_breaks_a_balance(fate: str | None, damaged: Damaged) -> None:
    damaged.change("message_ledger", 0, fate=fate)
    for json_or_text in ([], ["--json"]):
        result = assess(damaged.root, "exam_counts", "-c", SOUND, *json_or_text)
        assert result.exit_code == 1
        missing = f"- messages read = messages with a fate: {ALL.total()} and {ALL.total() - 1}"
        assert missing in result.stderr


def test_json_has_all_rows_or_as_many_as_asked_for_those_that_differ_first(
    damaged: Damaged,
) -> None:
    rows = damaged.rows("exam_counts")
    damaged.change("exam_counts", -1, attempts=999)
    asked = ("exam_counts", "-c", SOUND, "--json")
    assert len(json.loads(assess(damaged.root, *asked).stdout)["rows"]) == len(rows) > 1
    result = assess(damaged.root, *asked, "--limit", "1")
    (first,) = json.loads(result.stdout)["rows"]
    assert first["key"] == {"exam_name": rows[-1]["exam_name"]}
    assert f"The first 1 of {len(rows)} rows: --limit gives more." in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("exams", "-c", "nobody"), 1, "Customer nobody has no tables"),
        (("exams", "-c", SOUND, "--where", "1 = 0"), 1, "none of its 6 rows is selected by: 1 = 0"),
        (("exams", "-c", SOUND, "--where", "atempts > 1"), 1, "atempts"),
        (("exams", "-c", SOUND, "--where", "1 = 1); drop view exams; ("), 1, "Parser Error"),
        (
            ("exams", "-c", SOUND, "--where", "1 < (select count(*) from glob('/etc/*'))"),
            1,
            "disabled by configuration",
        ),
        (("exams", "sum", "-c", SOUND), 2, "has no column 'sum'"),
        (("exam", "-c", SOUND), 2, "Table 'exam' does not exist"),
        (("questions", "-c", SOUND), 2, "Table 'questions' can't be explained"),
        (("exams", "-c", "Globex & Co"), 2, "--customer"),
    ],
)
def test_what_cannot_be_explained_is_refused_in_words(
    arguments: tuple[str, ...], code: int, told: str, sound_platform: Platform
) -> None:
    result = assess(sound_platform.settings.lake, *arguments)
    assert result.exit_code == code
    assert told in " ".join(result.stderr.replace("│", " ").split())


def test_a_table_that_was_not_made_says_what_to_run(acme: Steps) -> None:
    acme.land("a.ndjson", lines(message("a")))
    acme.stop_before("exams")
    layout = acme.lake.layout
    lake = layout.root
    result = assess(lake, "exam_performance", "-c", CUSTOMER)
    assert result.exit_code == 1
    assert "does not exist" in result.stderr
    assert f"--select '*' --partition {CUSTOMER}" in result.stderr
    assert not Path(f"{lake}/{CUSTOMER}/exam_performance".removeprefix("file://")).exists()
