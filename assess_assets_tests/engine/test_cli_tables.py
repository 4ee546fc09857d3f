"""Commands over a small lake of two customers: looking, asking, rebuilding, diagnosing.

Belongs here: commands that need tables, and attacks on the SQL that analysts may write. Does not:
commands without tables (`unit/test_cli.py`).
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from pyspark.sql import SparkSession
from typer.testing import CliRunner, Result

from assess_assets.assets.raw_messages import land_customer
from assess_assets.cli.app import app
from assess_assets.cli.follow import resident_bytes
from assess_assets.resources.lake import LakeResource
from assess_assets.resources.spark import SparkEngine
from assess_assets.sample.messy import messy_lines
from assess_assets.storage.layout import LakeLayout
from assess_assets.storage.sandbox import NotAQuery, customer_sql, query
from assess_assets.tables.registry import CUSTOMER_TABLES
from assess_assets_tests.conftest import ENGINE, Platform

ACME = "_41cme_20_26_20_43o"  # "Acme & Co"
LINES = messy_lines()
FATES = Counter(line.fate for line in LINES)

FIRST_TABLES = [table.name for table in CUSTOMER_TABLES[:7]]  # up to the parse step's

JSON = ("-c", "globex", "--json")

Assess = Callable[..., Result]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Iterator[Platform]:
    """globex with every table, and Acme & Co with its first ones: each has its own delivery."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "home").mkdir()
    (folder / "home" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DAGSTER_HOME", str(folder / "home"))
        environment.setenv("ASSESS_LAKE", str(folder / "lake"))
        environment.setenv("ASSESS_LANDING", str(folder / "landing"))
        environment.setenv("ASSESS_SPARK", ENGINE)
        with dg.DagsterInstance.get() as instance:
            platform = Platform(folder, instance)
            for customer, seed, select in (("globex", 7, None), (ACME, 8, FIRST_TABLES)):
                text = "".join(f"{line.text}\n" for line in messy_lines(seed))
                platform.land(customer, "delivery.ndjson", text)
                assert platform.materialize(customer, select=select).success
            yield platform


@pytest.fixture
def assess(made: Platform) -> Assess:
    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments])


def rows_of(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    return rows


def test_show_prints_complete_rows_as_json(assess: Assess) -> None:
    shown = rows_of(assess("show", "raw_messages", "-c", "globex", "--json"))
    assert [row["value"] for row in shown] == [line.text for line in LINES]
    assert [row["offset"] for row in shown] == list(range(len(LINES)))
    assert {row["key"] for row in shown} == {None}
    assert all(row["ingested_at"].endswith("Z") for row in shown)


def test_show_picks_rows_columns_and_a_number_of_them(assess: Assess) -> None:
    options = ("--columns", "offset,fate", "--where", "fate = 'conflict'", "--json")
    conflicts = [
        {"offset": line.index, "fate": "conflict"} for line in LINES if line.fate == "conflict"
    ]
    assert rows_of(assess("show", "message_ledger", "-c", "globex", *options)) == conflicts
    first = assess("show", "message_ledger", "-c", "globex", *options, "--limit", 1)
    assert rows_of(first) == conflicts[:1]
    assert "Only the first 1 rows" in first.stderr


def test_nested_values_and_exact_numbers_survive_json(assess: Assess) -> None:
    first = next(line for line in LINES if line.kind == "good")
    shown = rows_of(
        assess(
            "show", "assessments", "-c", "globex", "--where", f'"offset" = {first.index}', "--json"
        )
    )[0]
    sent = json.loads(first.text)
    assert shown["user_exam_id"] == sent["user_exam_id"]
    assert [q["id"] for q in shown["questions"]] == [
        q["id"] for q in sent["sequences"]["questions"]
    ]
    whole, _, fraction = sent["keen_timestamp"].partition(".")
    assert shown["keen_timestamp_seconds"] == f"{whole}.{fraction:0<9}"


def test_text_output_is_narrow_and_names_what_it_leaves_out(assess: Assess) -> None:
    result = assess("show", "assessments", "-c", "globex", "--limit", 2)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert max(len(line) for line in lines[:4]) <= 160
    assert lines[0].startswith("user_exam_id")
    assert lines[-1].startswith("+ ")
    assert lines[-1].endswith("source, partition, offset, batch, build")
    assert "Only the first 2 rows: --limit gives more." in result.stderr


def test_a_customer_may_be_given_by_its_name(assess: Assess) -> None:
    counted = 'SELECT count(*) AS "messages" FROM raw_messages'
    assert rows_of(assess("sql", counted, "--customer-name", "Acme & Co", "--json")) == [
        {"messages": len(LINES)}
    ]


def test_sql_joins_a_customers_tables(assess: Assess) -> None:
    asked = (
        "SELECT fate, count(*) AS n, count(value) AS with_value "
        'FROM message_ledger JOIN raw_messages USING (source, "partition", "offset") '
        "GROUP BY fate ORDER BY fate"
    )
    assert rows_of(assess("sql", asked, "-c", "globex", "--json")) == [
        {"fate": fate, "n": n, "with_value": n} for fate, n in sorted(FATES.items())
    ]


def test_an_error_in_sql_is_told_without_a_traceback(assess: Assess) -> None:
    result = assess("sql", "SELECT max(offset) FROM message_ledger", "-c", "globex")
    assert result.exit_code == 1
    assert result.stderr.startswith("assess: Customer globex: Parser Error")
    assert 'The columns "offset" and "partition" need their quotes.' in result.stderr


def test_quotes_are_only_asked_for_where_a_word_lacks_them(assess: Assess) -> None:
    result = assess("sql", 'SELECT "offset", FROM FROM message_ledger', "-c", "globex")
    assert result.exit_code == 1
    assert "Parser Error" in result.stderr
    assert "need their quotes" not in result.stderr


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("1=1) UNION ALL SELECT * FROM exam_counts WHERE (1=1", "Parser Error"),
        ("1=1 ORDER BY attempts", "Parser Error"),
        ("1=1, 2=2", "only a single expression"),
        ("1=1; SELECT 1", "Parser Error"),
        (" ", "Customer globex: The condition is empty."),
        ("", "Customer globex: The condition is empty."),
        ("batch = 1 and offset > 1", 'The columns "offset" and "partition" need their quotes.'),
    ],
)
@pytest.mark.parametrize("command", ["show", "explain"])
def test_a_condition_is_one_expression(
    assess: Assess, command: str, condition: str, said: str
) -> None:
    result = assess(command, "exam_counts", "-c", "globex", "--where", condition, "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert said.removeprefix("Customer globex: ") in result.stderr
    assert result.stderr.startswith("assess: Customer globex")


def test_a_condition_may_hold_a_query_and_end_in_a_comment(assess: Assess) -> None:
    last = "build = (SELECT max(build) FROM builds) -- (the last"
    (row,) = rows_of(assess("show", "builds", "--where", last, "--columns", "reason", *JSON))
    assert row["reason"]


@pytest.mark.parametrize("end", ["; -- all", ";\n/* é; */ ;", " -- all;", ";;"])
def test_a_query_may_end_in_a_semicolon_and_a_comment(assess: Assess, end: str) -> None:
    query = """SELECT 1 AS "n;é", ';' AS s"""
    assert rows_of(assess("sql", query + end, *JSON)) == [{"n;é": 1, "s": ";"}]


def test_columns_of_equal_names_are_all_in_json(assess: Assess) -> None:
    asked = "SELECT 1 AS a, 2 AS a, 3 AS a_2, 4 AS a, 5 AS b"
    assert rows_of(assess("sql", asked, *JSON)) == [{"a": 1, "a_3": 2, "a_2": 3, "a_4": 4, "b": 5}]


@pytest.mark.parametrize(
    "value", ["TIMESTAMP 'infinity'", "DATE '10000-01-01'", "TIMESTAMPTZ '294000-01-01'"]
)
@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_a_time_that_python_cannot_hold_is_refused_with_the_cast_that_shows_it(
    assess: Assess, value: str, as_json: tuple[str, ...]
) -> None:
    result = assess("sql", f"SELECT 1 AS n, {value} AS t", "-c", "globex", *as_json)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Customer globex: column 't' has a value that can't be shown" in result.stderr
    assert "Cast it to text: ...::VARCHAR" in result.stderr
    (shown,) = rows_of(assess("sql", f"SELECT ({value})::VARCHAR AS t", *JSON))
    assert shown["t"].strip("'") in {"infinity", "10000-01-01", "294000-01-01 00:00:00+00"}


def test_a_sum_is_a_number_in_json_and_a_fraction_stays_exact(assess: Assess) -> None:
    asked = (
        "SELECT sum(batch) AS batches, sum(batch)::DECIMAL(20, 2) AS exact, count(*) AS n "
        "FROM message_ledger"
    )
    assert rows_of(assess("sql", asked, "-c", "globex", "--json")) == [
        {"batches": len(LINES), "exact": f"{len(LINES)}.00", "n": len(LINES)}
    ]


def test_advice_to_load_what_cannot_be_loaded_is_not_passed_on(assess: Assess) -> None:
    result = assess("sql", "SELECT * FROM delta_scan('exams')", "-c", "globex")
    assert result.exit_code == 1
    assert "delta_scan" in result.stderr
    assert not {"INSTALL", "LOAD", "SET"} & set(result.stderr.split())
    there = "SELECT DISTINCT function_name FROM duckdb_functions() ORDER BY ALL"
    assert "No extension can be loaded here. There are the customer's tables" in result.stderr
    assert there in result.stderr
    assert "sum" in {row["function_name"] for row in rows_of(assess("sql", there, *JSON))}


def test_a_pivot_is_answered_with_a_form_of_it_that_works(assess: Assess) -> None:
    result = assess("sql", "PIVOT message_ledger ON fate USING count(*)", "-c", "globex")
    assert result.exit_code == 1
    assert "FROM t PIVOT (sum(n) FOR c IN ('a', 'b'))" in result.stderr
    for form in (
        "FROM (SELECT fate FROM message_ledger) PIVOT (count(*) FOR fate IN ('accepted'))",
        "PIVOT (SELECT fate FROM message_ledger) ON fate IN ('accepted') USING count(*)",
    ):
        assert rows_of(assess("sql", form, *JSON)) == [{"accepted": FATES["accepted"]}]


@pytest.mark.parametrize(
    "explain", ["EXPLAIN", "EXPLAIN ANALYZE", "EXPLAIN (ANALYZE, FORMAT json)"]
)
def test_a_query_may_be_explained(assess: Assess, explain: str) -> None:
    result = assess("sql", f"{explain} SELECT count(*) FROM exams", "-c", "globex")
    assert result.exit_code == 0, result.output
    assert "AGGREGATE" in result.stdout.upper()


@pytest.mark.parametrize(
    "statement",
    [
        "DROP VIEW exams",
        "SELECT 1; SELECT 2",
        "",
        "SET threads = 1",
        "COPY exams TO 'x.csv'",
        "EXPLAIN DROP VIEW exams",
        "EXPLAIN ANALYZE DROP VIEW exams",
        "explain/* ) */(analyze) -- select\n DROP VIEW exams",
        "EXPLAIN ANALYZE CREATE TABLE a AS SELECT 1",
    ],
)
def test_sql_only_reads(assess: Assess, statement: str) -> None:
    result = assess("sql", statement, "-c", "globex")
    assert result.exit_code == 1
    assert "One SELECT is run here" in result.stderr


WITHOUT_END = "FROM range(9000000) a, range(9000000) b, range(9000000) c"


@pytest.mark.parametrize("what", ["count(*)", "*"])
def test_a_query_that_is_not_done_in_time_is_stopped(assess: Assess, what: str) -> None:
    result = assess("sql", f"SELECT {what} {WITHOUT_END}", *JSON, "--timeout", "500ms")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("assess: Customer globex: the query was not done after 500ms, ")
    assert "give it more: --timeout 30m" in result.stderr


GATHERING_BYTES = 600_000_000  # nothing but rows takes so much


def test_a_query_hears_ctrl_c_while_it_gathers_rows(made: Platform) -> None:
    command = [sys.executable, "-m", "assess_assets.cli", "sql", f"SELECT * {WITHOUT_END}", *JSON]
    # Who runs these tests in the background of a script has them ignore Ctrl-C, and their children.
    hears = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    unheard = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=unheard, stderr=unheard, preexec_fn=hears) as asked:
        try:
            # By its memory: on a busy machine it may start for longer than anyone would guess, and
            # Python can lose a Ctrl-C while it imports.
            until = time.monotonic() + 120
            while resident_bytes(asked.pid) < GATHERING_BYTES:
                assert asked.poll() is None
                assert time.monotonic() < until
                time.sleep(0.1)
            asked.send_signal(signal.SIGINT)
            assert asked.wait(timeout=60) != 0
        finally:
            asked.kill()


def test_the_sandbox_has_the_customers_tables_and_no_other(made: Platform) -> None:
    with customer_sql(LakeLayout.of(made.settings.lake), "globex") as session:
        names = [row["name"] for row in query(session, "SHOW TABLES").to_pylist()]
        assert names == sorted(table.name for table in CUSTOMER_TABLES)
        for table in CUSTOMER_TABLES:
            columns = query(session, f"DESCRIBE {table.name}").column("column_name").to_pylist()
            assert columns == table.column_names
        seen = query(session, "SELECT user_exam_id FROM assessments").to_pylist()
    expected = {json.loads(line.text)["user_exam_id"] for line in LINES if line.fate == "accepted"}
    assert {row["user_exam_id"] for row in seen} == expected


def test_tables_that_were_not_made_yet_are_empty(made: Platform) -> None:
    with customer_sql(LakeLayout.of(made.settings.lake), "nobody") as session:
        for table in CUSTOMER_TABLES:
            found = query(session, f"SELECT * FROM {table.name}")
            assert (found.num_rows, found.column_names) == (0, table.column_names)
    assert not (made.folder / "lake" / "nobody").exists()


# {theirs}: a Parquet file of the other customer; {log}: its Delta log; {out}: a place to write.
ATTACKS = """
SELECT * FROM read_parquet('{theirs}')
SELECT * FROM parquet_scan('{theirs}')
SELECT * FROM '{theirs}'
SELECT * FROM "{theirs}"
SELECT * FROM query_table('{theirs}')
SELECT * FROM query('FROM ''{theirs}''')
SELECT * FROM parquet_metadata('{theirs}')
SELECT * FROM parquet_file_metadata('{theirs}')
SELECT * FROM read_json('{log}')
SELECT * FROM read_text('{log}')
SELECT * FROM read_text('file://{log}')
SELECT * FROM read_text('/proc/self/environ')
SELECT * FROM read_blob('/etc/passwd')
SELECT * FROM read_csv('/etc/passwd')
SELECT * FROM sniff_csv('/etc/passwd')
SELECT * FROM glob('/etc/*')
SELECT * FROM glob('*')
SELECT * FROM delta_scan('{lake}')
SELECT * FROM read_csv('https://example.invalid/x.csv')
SELECT * FROM json_execute_serialized_sql(json_serialize_sql('FROM read_text(''{log}'')'))
SELECT getenv('HOME')
SELECT * FROM customer_overview
SELECT * FROM secret_of_the_process
SELECT * FROM python_arrow_scan()
SELECT * FROM pandas_scan()
SELECT * FROM duckdb_extension_repositories()
ATTACH '{out}.db' AS other
ATTACH '{theirs}' AS other
COPY (SELECT 1) TO '{out}.csv'
COPY (SELECT 1) TO '/dev/stdout'
EXPORT DATABASE '{out}'
IMPORT DATABASE '{out}'
CREATE TABLE stolen AS FROM read_text('{log}')
INSTALL httpfs
LOAD httpfs
LOAD '{out}.duckdb_extension'
CREATE PERSISTENT SECRET s (TYPE http)
CALL enable_logging(storage = 'file', storage_path = '{out}.log')
PRAGMA enable_profiling = 'json'
SET profiling_output = '{out}.json'
SET log_query_path = '{out}.sql'
SET enable_external_access = true
RESET enable_external_access
SET lock_configuration = false
SET allowed_directories = ['/']
SET allowed_paths = ['/etc/passwd']
SET python_enable_replacements = true
SET autoinstall_known_extensions = true
SET temp_directory = '{out}'
SET memory_limit = '1TB'
SET TimeZone = 'Asia/Tokyo'
"""


@pytest.mark.parametrize("attack", ATTACKS.strip().splitlines())
def test_nothing_leads_out_of_the_sandbox(made: Platform, tmp_path: Path, attack: str) -> None:
    secret_of_the_process = [{"password": 1}]
    lake = made.folder / "lake" / ACME / "assessments"
    statement = attack.format(
        theirs=next(lake.glob("*.parquet")),
        log=next((lake / "_delta_log").glob("*.json")),
        lake=lake,
        out=tmp_path / "out",
    )
    with customer_sql(LakeLayout.of(made.settings.lake), "globex") as session:
        with pytest.raises(duckdb.Error):  # by the lock alone
            session.execute(statement).fetchall()
        with pytest.raises((duckdb.Error, NotAQuery)):
            query(session, statement)
    assert list(tmp_path.iterdir()) == []
    assert secret_of_the_process


def test_history_says_what_was_read_and_how_far_tables_are(assess: Assess, made: Platform) -> None:
    result = assess("history", "-c", ACME, "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    (batch,) = told["batches"]
    (claim,) = batch["ranges"]
    assert (batch["batch"], batch["messages"]) == (1, len(LINES))
    assert (claim["source"], claim["start_offset"], claim["end_offset"], claim["kind"]) == (
        "delivery.ndjson",
        0,
        len(LINES),
        "read",
    )
    assert claim["messages"] == len(LINES)
    assert [build["reason"] for build in told["builds"]] == ["first run"]
    tables = {table["table"]: table for table in told["tables"]}
    assert list(tables) == [table.name for table in CUSTOMER_TABLES]
    ledger = tables["message_ledger"]
    assert (ledger["rows"], ledger["build"], ledger["batch"]) == (len(LINES), 1, 1)
    made_ones = {name: one["version"] for name, one in tables.items() if one["version"] is not None}
    versions = made.versions(ACME)
    assert made_ones == {name: versions[name] for name in FIRST_TABLES}
    text = assess("history", "-c", ACME).stdout
    assert claim["identity"][:12] in text
    assert claim["identity"] not in text
    *_, build = text.split("reason")[1].partition("table ")[0].split()
    assert build == told["builds"][0]["run_id"]


def test_customers_lists_whom_lake_landing_and_dagster_know(assess: Assess, made: Platform) -> None:
    listed = {row["key"]: row for row in rows_of(assess("customers", "--json"))}
    assert listed[ACME]["name"] == "Acme & Co"
    told = [(row["registered"], row["landing_files"]) for row in listed.values()]
    assert told[:2] == [(True, 1), (True, 1)]
    assert listed["globex"]["messages"] == len(LINES)
    assert listed["globex"]["tables"] == [
        table.name for table in CUSTOMER_TABLES if table.name in listed["globex"]["tables"]
    ]


def test_the_overview_is_shown_to_the_operator_and_in_no_customers_session(
    assess: Assess, made: Platform
) -> None:
    stored = made.rows("customer_overview", "globex")
    shown = rows_of(assess("customers", "--overview", "--json"))
    assert [row["customer"] for row in shown] == [row["customer"] for row in stored] == ["globex"]
    assert shown[0]["messages"] == stored[0]["messages"] == len(LINES)
    assert assess("customers", "--overview").stdout.splitlines()[2].startswith("globex ")
    for refused in (("show", "customer_overview"), ("sql", "FROM customer_overview")):
        assert assess(*refused, "-c", "globex").exit_code != 0


def test_sync_registers_landed_customers_and_reports_folders_with_other_names(
    assess: Assess, made: Platform
) -> None:
    landing = made.settings.landing
    (landing / "umbrella").mkdir()
    (landing / "Wayne Corp").mkdir()
    try:
        doctor = json.loads(assess("doctor", "--json").stdout)
        told = {one["told"]: one["status"] for one in doctor if one["subject"] == "customers"}
        assert sorted(told.values()) == ["fail", "warn"]
        result = assess("customers", "sync", "--json")
        assert result.exit_code == 1
        told = json.loads(result.stdout)
        assert told["registered_now"] == ["umbrella"]
        assert told["landed"] == [ACME, "globex", "umbrella"]
        assert told["misnamed_folders"] == {"Wayne Corp": "rename it to _57ayne_20_43orp"}
        assert "'Wayne Corp': rename it to _57ayne_20_43orp" in result.stderr
        assert made.instance.has_dynamic_partition("customers", "umbrella")
        (landing / "Wayne Corp").rename(landing / "_57ayne_20_43orp")
        again = assess("customers", "sync")
        assert again.exit_code == 0
        assert "Registered _57ayne_20_43orp" in again.stdout
    finally:
        for name in ("umbrella", "_57ayne_20_43orp"):
            (landing / name).rmdir()
            made.instance.delete_dynamic_partition("customers", name)


def test_a_rebuild_is_a_recorded_run_after_which_nothing_differs(
    assess: Assess, made: Platform
) -> None:
    before = made.versions("globex")
    result = assess("rebuild", "-c", "globex", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["build"] == 2
    assert {(one["gone"], one["new"]) for one in told["tables"]} == {(0, 0)}
    ledger = next(one for one in told["tables"] if one["table"] == "message_ledger")
    assert (ledger["rows_before"], ledger["rows_after"]) == (len(LINES), len(LINES))
    run = made.instance.get_run_by_id(told["run_id"])
    assert run is not None
    assert run.is_success
    after = made.versions("globex")
    assert after["raw_messages"] == before["raw_messages"]
    assert after["source_ranges"] == before["source_ranges"]
    assert after["assessments"] > before["assessments"]
    history = json.loads(assess("history", "-c", "globex", "--json").stdout)
    last = history["builds"][-1]
    assert (last["reason"], last["run_id"]) == ("asked for by assess rebuild", told["run_id"])


@pytest.mark.parametrize(
    ("policies", "said"),
    [
        ("[default", "can't be read"),
        ('[default]\ntest_exam_ids = ["another"]', "policy"),
    ],
)
def test_policies_that_cannot_be_used_are_told_without_a_traceback(
    assess: Assess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policies: str, said: str
) -> None:
    (tmp_path / "policies.toml").write_text(policies)
    monkeypatch.setenv("ASSESS_POLICIES", str(tmp_path / "policies.toml"))
    result = assess("verify", "-c", "globex")
    assert result.exit_code == 1
    assert result.stderr.startswith("assess: ")
    assert said in result.stderr


def test_a_rebuild_of_nobody_claims_nothing(assess: Assess, made: Platform) -> None:
    result = assess("rebuild", "-c", "nobody", "--reason", "why not")
    assert result.exit_code == 1
    assert "Customer nobody is not registered" in result.stderr
    assert not (made.folder / "lake" / "nobody").exists()


def test_an_accepted_loss_lets_runs_go_on(assess: Assess, made: Platform, tmp_path: Path) -> None:
    customer = "loser"
    platform = Platform(made.folder, made.instance)
    platform.with_settings(max_messages_per_run=20)
    file = platform.land(customer, "a.ndjson", "".join(f"{line.text}\n" for line in LINES))
    select = ["source_ranges", "raw_messages"]
    loss = ("accept-loss", "-c", customer, "--source", "a.ndjson", "--reason", "the disk broke")
    try:
        assert platform.materialize(customer, select=select).success
        assert "a.ndjson is there" in assess(*loss, "--yes").stderr
        kept = file.rename(tmp_path / "a.ndjson")
        failed = platform.materialize(customer, select=select, raise_on_error=False)
        assert not failed.success
        assert assess("land", kept, "-c", customer).exit_code == 0  # restored, and lost again
        file.unlink()

        asked = assess(*loss)
        assert asked.exit_code == 1
        assert f"{len(LINES) - 20} messages, 20 to {len(LINES)}, were never read." in asked.stdout
        assert "Nothing was changed." in asked.stderr
        assert assess(*loss, "--yes").exit_code == 0

        assert platform.materialize(customer, select=select).success
        claims = platform.rows("source_ranges", customer, "batch", "end_offset", "kind", "note")
        assert [tuple(row.values()) for row in claims] == [
            (1, 20, "read", None),
            (2, len(LINES), "lost", "the disk broke"),
        ]
        assert len(platform.rows("raw_messages", customer, "offset")) == 20
        assert "There is no loss to accept." in assess(*loss, "--yes").stderr
    finally:
        made.instance.delete_dynamic_partition("customers", customer)


def test_a_file_that_went_between_its_claim_and_its_landing_can_be_given_up(
    assess: Assess, made: Platform
) -> None:
    customer = "crashed"
    platform = Platform(made.folder, made.instance)
    platform.with_settings(max_messages_per_run=20)
    platform.land(customer, "a.ndjson", "".join(f"{line.text}\n" for line in LINES[:5]))
    file = platform.land(customer, "it's b.ndjson", "".join(f"{line.text}\n" for line in LINES))
    resource = LakeResource.from_settings(platform.settings, SparkEngine(url=ENGINE))
    loss = ("accept-loss", "-c", customer, "--source", file.name, "--reason", "the disk broke")
    try:
        assert platform.materialize(customer).success  # 5 and 15
        land_customer(platform.lake, resource.sources_of(customer), 20, "killed")
        before = platform.versions(customer)
        for change in (lambda: platform.land(customer, file.name, "[]"), file.unlink):
            change()  # overwritten, and then removed
            failed = platform.materialize(customer, raise_on_error=False)
            told = str(failed.all_events)
            assert f"messages 15 to {len(LINES)} " in told
            assert f"assess accept-loss --customer {customer} --source" in told
            assert platform.versions(customer) == before
            if file.exists():
                assert "land the new content under another name" in assess(*loss, "--yes").stderr
        assert f"15 to {len(LINES)}, were never read." in assess(*loss).stdout
        assert platform.versions(customer) == before
        platform.land(customer, "c.ndjson", '{"a": 1}\n')
        given_up = assess(*loss, "--yes")
        assert given_up.exit_code == 0, given_up.stderr
        assert "There is no loss to accept." in assess(*loss, "--yes").stderr

        assert platform.materialize(customer).success  # with its checks
        columns = ("batch", "source", "start_offset", "end_offset", "messages", "kind")
        claims = platform.rows("source_ranges", customer, *columns)
        assert [tuple(row.values()) for row in claims] == [
            (1, "a.ndjson", 0, 5, 5, "read"),
            (1, file.name, 0, 15, 15, "read"),
            (2, file.name, 15, 35, 0, "read"),
            (3, file.name, 15, len(LINES), 0, "lost"),
            (4, "c.ndjson", 0, 1, 1, "read"),
        ]
        explained = json.loads(
            assess("explain", "exam_counts", "messages", "-c", customer, "--json").stdout
        )
        assert all(one["holds"] for one in explained["balances"]), explained["balances"]
        settled = platform.versions(customer)
        assert platform.materialize(customer).success
        assert platform.versions(customer) == settled
    finally:
        removed = assess("customers", "remove", customer, "--landing", "--yes")
        assert removed.exit_code == 0, removed.stderr


def test_the_doctor_finds_a_sound_deployment_sound(assess: Assess, made: Platform) -> None:
    before = sorted(path.name for path in (made.folder / "lake").iterdir())
    result = assess("doctor", "--json")
    found = {one["subject"]: one for one in json.loads(result.stdout)}
    assert {name: one["status"] for name, one in found.items() if name != "customers"} == {
        "python": "ok",
        "packages": "ok",
        "lake": "ok",
        "table files": "ok",
        "landing": "ok",
        "policies": "ok",
        "dagster instance": "ok",
        "java": "ok",
        "engine": "ok",
    }
    assert sorted(path.name for path in (made.folder / "lake").iterdir()) == before


def test_the_doctor_names_what_is_wrong_and_the_fix(
    assess: Assess, made: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "no/absolute/path")
    monkeypatch.setenv("ASSESS_LAKE", "hdfs://localhost:1/lake")
    monkeypatch.setenv("ASSESS_POLICIES", str(made.folder / "none.toml"))
    monkeypatch.setenv("ASSESS_LANDING", str(made.folder / "no landing"))
    result = assess("doctor")
    assert result.exit_code == 1
    status = {line[6:].split(":")[0]: line[:5].strip() for line in result.stdout.splitlines()}
    assert status["lake"] == status["policies"] == status["dagster instance"] == "fail"
    assert status["landing"] == "warn"
    assert "nobody answers at localhost:1" in result.stdout
    assert "fix: start it, or set ASSESS_LAKE" in result.stdout
    assert "export DAGSTER_HOME=" in result.stdout


def test_the_doctor_counts_what_runs_read_and_names_what_they_do_not(
    assess: Assess, made: Platform
) -> None:
    def landing() -> list[tuple[str, str]]:
        told = json.loads(assess("doctor", "--json").stdout)
        subjects = ("landing", "unread entries")
        return [(one["status"], one["told"]) for one in told if one["subject"] in subjects]

    folder = made.settings.landing / "globex"
    ((status, sound),) = landing()
    assert (status, sound) == ("ok", f"{made.settings.landing} can be read (2 files)")
    (folder / "link.json").symlink_to(made.settings.landing / ACME / "delivery.ndjson")
    (folder / "sub").mkdir()
    (folder / "notes.txt").write_text("")
    (folder / ".hidden.json").write_text("")
    (folder / "coming.json.tmp").write_text("")
    os.mkfifo(folder / "pipe.json")
    (made.settings.landing / "loose.json").write_text("")
    (made.settings.landing / "truth.ndjson").write_text("")  # where a load was written
    try:
        (_, counted), (status, unread) = landing()
    finally:
        (made.settings.landing / "loose.json").unlink()
        (made.settings.landing / "truth.ndjson").unlink()
        (folder / "sub").rmdir()
        for name in ("link.json", "notes.txt", ".hidden.json", "coming.json.tmp", "pipe.json"):
            (folder / name).unlink()
    assert counted == sound
    assert status == "warn"
    assert unread.startswith(
        "1 entries that are no regular files, 1 files in the landing folder itself, "
        "1 files of other names, 1 subfolders, 1 symbolic links. "
    )


def test_the_doctor_refuses_an_engine_that_does_not_exist_without_starting_one(
    assess: Assess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSESS_SPARK", "sprak")
    result = assess("doctor", "--json")
    assert result.exit_code == 1
    (failed,) = [one for one in json.loads(result.stdout) if one["status"] == "fail"]
    assert failed["told"].startswith("ASSESS_SPARK is 'sprak', which names no engine. Set it to ")
    assert "local[n], local[*], spark://host:port or sc://host:port." in failed["told"]
