"""Tables whose files are gone or broken: who says so, what is advised, and that it heals.

Belongs here: damage that no reader gets over. Does not: rows that are wrong (`test_checks_of_*`),
and files that this user may not read (`unit/test_unreadable.py`).
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from typer.testing import CliRunner

from assess_assets.cli.app import app
from assess_assets.cli.table_findings import table_findings
from assess_assets.storage.damage import TableDamaged
from assess_assets.storage.maintenance import Upkeep, keep
from assess_assets.storage.protocol import UpstreamNotReady
from assess_assets_tests.damage import Damaged
from assess_assets_tests.deliveries import lines, of_every_fate
from assess_assets_tests.steps import MADE, WRITTEN, Steps, sample

CURE = "Move its folder out of the lake"
AGAIN = "dagster asset materialize -m assess_assets.definitions --select '*' --partition acme"


def folder_of(steps: Steps | Damaged, table: str) -> Path:
    return Path(steps.uri(table).removeprefix("file://"))


def some_file(steps: Steps, table: str) -> Path:
    (uri, *_) = DeltaTable(steps.uri(table)).file_uris()
    return Path(uri.removeprefix("file://"))


def remove_file(steps: Steps, table: str) -> None:
    some_file(steps, table).unlink()


def cut_file(steps: Steps, table: str) -> None:
    path = some_file(steps, table)
    path.write_bytes(path.read_bytes()[:200])


def fill_file_with_zeros(steps: Steps, table: str) -> None:
    path = some_file(steps, table)
    path.write_bytes(bytes(path.stat().st_size))


def cut_last_commit(steps: Steps, table: str) -> None:
    last = max((folder_of(steps, table) / "_delta_log").glob("*.json"))
    last.write_text(last.read_text()[:80])


def _nullable(log: DeltaTable) -> pa.Schema:
    return pa.schema([field.with_nullable(True) for field in pa.schema(log.schema().to_arrow())])


DAMAGES = (remove_file, cut_file, fill_file_with_zeros, cut_last_commit)
Damage = Callable[[Steps, str], None]


@pytest.fixture
def acme(after_a_run: Steps, monkeypatch: pytest.MonkeyPatch) -> Steps:
    """A customer after one run, as the commands find it."""
    monkeypatch.setenv("ASSESS_LAKE", str(after_a_run.folder / "lake"))
    monkeypatch.setenv("ASSESS_LANDING", str(after_a_run.folder / "landing"))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return after_a_run


def told(*command: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, command)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stderr


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("table", ["raw_messages", "builds", "message_ledger", "questions"])
def test_a_run_over_a_damaged_table_names_it_and_moving_it_away_heals(
    acme: Steps, table: str, damage: Damage
) -> None:
    before = acme.all_rows("build", "reason")
    damage(acme, table)
    acme.empty("exams")  # so that a run reads all that it is made from
    failed = acme.lake.for_each([acme.customer], lambda _: acme.run()).failures[acme.customer]
    assert isinstance(failed, TableDamaged)
    assert str(failed).startswith(f"Customer acme, table {table} ({acme.uri(table)}): its files ")
    assert CURE.lower() in str(failed).lower()
    assert str(failed).endswith(AGAIN)
    assert "<unknown>" not in str(failed)
    shutil.move(folder_of(acme, table), acme.folder / "moved away")
    acme.run()
    assert acme.all_rows("build", "reason") == before


@pytest.mark.parametrize("table", sample(MADE))
def test_a_table_whose_folder_was_moved_away_is_made_again(acme: Steps, table: str) -> None:
    before = acme.all_rows()
    shutil.move(folder_of(acme, table), acme.folder / "moved away")
    acme.run()
    assert acme.all_rows() == before


@pytest.mark.parametrize("damage", DAMAGES)
def test_commands_name_the_table_that_they_cannot_read(acme: Steps, damage: Damage) -> None:
    damage(acme, "exams")
    for command in (("show", "exams"), ("sql", "select * from exams"), ("history",)):
        code, said = told(*command, "-c", "acme")
        assert code == 1, command
        assert said.startswith(f"assess: Customer acme, table exams ({acme.uri('exams')}): its ")
        assert said.strip().endswith(f"{CURE}: the table is made again by {AGAIN}")
        assert len(said.splitlines()) == 1


def test_answers_name_the_table_that_they_cannot_read(acme: Steps) -> None:
    cut_file(acme, "exam_performance")
    code, said = told("answers", "-c", "acme")
    assert (code, said[:50]) == (1, "assess: Customer acme, table exam_performance (fil")
    assert CURE in said


def test_explain_names_the_table_that_it_cannot_read(acme: Steps) -> None:
    remove_file(acme, "message_ledger")
    code, said = told("explain", "exam_counts", "-c", "acme")
    assert (code, said[:48]) == (1, "assess: Customer acme, table message_ledger (fil")
    assert CURE in said


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_table_that_cannot_be_read_is_in_nobody_elses_way(acme: Steps, damage: Damage) -> None:
    damage(acme, "exams")
    assert told("show", "exam_counts", "-c", "acme") == (0, "")
    assert told("sql", "select count(*) from Exam_Counts", "-c", "acme") == (0, "")


def test_the_list_of_customers_names_whose_table_cannot_be_read(acme: Steps) -> None:
    (acme.folder / "landing" / "globex").mkdir()
    cut_last_commit(acme, "exams")
    result = CliRunner().invoke(app, ["customers", "--json"])
    assert result.exit_code == 0
    of_acme, of_globex = json.loads(result.stdout)
    (problem,) = of_acme["problems"]
    assert problem.startswith("Customer acme, table exams (")
    assert of_globex["problems"] == []


def test_claims_that_cannot_be_read_are_not_advised_to_be_made_again(acme: Steps) -> None:
    cut_last_commit(acme, "source_ranges")
    code, said = told("show", "source_ranges", "-c", "acme")
    assert code == 1
    assert "restore its folder from a backup" in said
    whole = f"move the customer's whole folder ({acme.layout.root}/acme) out of the lake"
    assert f"if the sources still have every message, {whole}" in said


@pytest.mark.parametrize("column", ["source", "end_offset", "kind", "identity"])
def test_claims_that_do_not_say_what_was_claimed_stop_whoever_reads_them(
    acme: Steps, column: str
) -> None:
    before = acme.rows("source_ranges")
    log = DeltaTable(acme.uri("source_ranges"))
    rows = pa.Table.from_pylist(
        [row | {column: None} for row in log.to_pyarrow_table().to_pylist()]
    )
    write_deltalake(log, rows.cast(_nullable(log)), mode="overwrite", schema_mode="overwrite")
    version = DeltaTable(acme.uri("source_ranges")).version()
    start = f"Customer acme, table source_ranges ({acme.uri('source_ranges')}): at version"
    for command in (("history",), ("explain", "exam_counts")):
        code, said = told(*command, "-c", "acme")
        assert (code, said[: len(start) + 8]) == (1, f"assess: {start}")
        assert f"rows have no {column}, so" in said
        assert said.strip().endswith(f".restore({version - 1})")
    acme.land("b.ndjson", lines(*of_every_fate("b")))
    with pytest.raises(TableDamaged, match=f"rows have no {column}, so"):
        acme.run()
    DeltaTable(acme.uri("source_ranges")).restore(version - 1)
    assert acme.rows("source_ranges") == before
    acme.run()
    assert acme.values("source_ranges", "batch") == [1, 2]


@pytest.mark.parametrize("gone", [(0,), (1,), (0, 1)], ids=["first", "second", "both"])
@pytest.mark.parametrize("table", ["raw_messages", "message_ledger", "source_ranges"])
def test_a_table_whose_earlier_commits_are_gone_is_told_and_no_lost_race(
    acme: Steps, table: str, gone: tuple[int, ...]
) -> None:
    for name in ("b", "c"):
        acme.land(f"{name}.ndjson", lines(*of_every_fate(name)))
        acme.judge()
    acme.land("d.ndjson", lines(*of_every_fate("d")))
    for version in gone:
        (folder_of(acme, table) / "_delta_log" / f"{version:020}.json").unlink()
    failed = acme.lake.for_each([acme.customer], lambda _: acme.judge()).failures[acme.customer]
    assert isinstance(failed, TableDamaged)
    assert str(failed).startswith(f"Customer acme, table {table} ({acme.uri(table)}): its files ")
    assert str(failed).endswith(AGAIN)
    assert "ParsedLogPath" not in str(failed)
    code, said = told("sql", f"select * from {table}", "-c", "acme")
    assert (code, said.strip()) == (1, f"assess: {failed}")


def test_a_checkpoint_stands_for_the_commits_before_it(acme: Steps) -> None:
    before = acme.all_rows()
    for table in ("raw_messages", "source_ranges"):
        DeltaTable(acme.uri(table)).create_checkpoint()
        (folder_of(acme, table) / "_delta_log" / f"{0:020}.json").unlink()
    acme.run()
    assert acme.all_rows() == before
    acme.land("b.ndjson", lines(*of_every_fate("b")))
    acme.run()
    assert acme.values("source_ranges", "batch") == [1, 2]


def test_a_checkpoint_that_is_gone_is_told_with_what_to_remove(acme: Steps) -> None:
    log = folder_of(acme, "exams") / "_delta_log"
    DeltaTable(acme.uri("exams")).create_checkpoint()
    (checkpoint,) = log.glob("*.checkpoint.parquet")
    checkpoint.unlink()
    code, said = told("show", "exams", "-c", "acme")
    assert (code, said[:38]) == (1, "assess: Customer acme, table exams (fi")
    assert f"Remove {acme.uri('exams')}/_delta_log/_last_checkpoint" in said
    (log / "_last_checkpoint").unlink()
    assert told("show", "exams", "-c", "acme") == (0, "")


@pytest.mark.parametrize("left", [0, 1], ids=["all claims", "the last claim"])
def test_claims_that_were_taken_away_are_not_made_again_over_what_is_landed(
    acme: Steps, left: int
) -> None:
    acme.land("b.ndjson", lines(*of_every_fate("b")))
    acme.run()
    before = acme.rows("raw_messages")
    DeltaTable(acme.uri("source_ranges")).delete(f"batch > {left}")
    acme.land("c.ndjson", lines(*of_every_fate("c")))
    with pytest.raises(UpstreamNotReady, match=rf"ends at batch {left}, and raw_messages at 2\."):
        acme.run()
    assert acme.rows("raw_messages") == before
    assert len(acme.rows("source_ranges")) == left


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        ("source = 'a.ndjson'", "a.ndjson (partition 0) up to offset 7 in batch 1"),
        ("batch = 2", "long.ndjson (partition 0) up to offset 2 in batch 2"),
        ("batch = 3", "long.ndjson (partition 0) up to offset 5 in batch 3"),
    ],
    ids=["of a file", "of the first part of a file", "of the last part of a file"],
)
def test_a_claim_that_was_taken_away_below_later_ones_is_not_made_again(
    acme: Steps, gone: str, told: str
) -> None:
    acme.max_messages = 3
    acme.land("long.ndjson", lines(*of_every_fate("b")[:6]))
    acme.land("x.ndjson", lines(*of_every_fate("x")[:3]))
    for _ in range(3):
        acme.judge()
    before = acme.rows("raw_messages")
    assert acme.values("source_ranges", "batch") == [1, 2, 3, 4]
    DeltaTable(acme.uri("source_ranges")).delete(gone)
    acme.land("copy.ndjson", lines(*of_every_fate()))  # whose content is not known either now
    with pytest.raises(UpstreamNotReady) as refused:
        acme.judge()
    assert f"{told}, and source_ranges claims none there. " in str(refused.value)
    assert "Restore the earlier version of source_ranges" in str(refused.value)
    assert acme.rows("raw_messages") == before
    assert len(acme.rows("source_ranges")) == 3
    uri = acme.uri("source_ranges")
    DeltaTable(uri).restore(DeltaTable(uri).version() - 1)
    acme.judge()
    assert acme.rows("raw_messages") == before
    assert acme.values("source_ranges", "kind")[-1] == "refused"


def test_a_customer_whose_whole_folder_was_moved_away_is_read_anew(acme: Steps) -> None:
    before = acme.all_rows()
    shutil.move(acme.folder / "lake" / "acme", acme.folder / "moved away")
    acme.run()
    assert acme.all_rows() == before


def lose_last_commit(steps: Steps | Damaged, table: str) -> None:
    """What is left of a file that was not on the disk yet when the power went."""
    max((folder_of(steps, table) / "_delta_log").glob("*.json")).write_text("")


def test_a_table_that_lost_its_last_rows_is_told_with_what_makes_it_again(
    damaged: Damaged,
) -> None:
    before = damaged.rows("assessments")
    lose_last_commit(damaged, "assessments")
    assert len(damaged.rows("assessments")) < len(before)
    verdict = damaged.verdicts("message_ledger")["fates_match_their_tables"]
    assert not verdict.passed
    assert verdict.description.endswith(
        "by: assess rebuild --customer globex --reason 'a check failed'"
    )


@pytest.mark.parametrize("table", ["questions", "raw_messages"])
def test_checks_of_a_table_that_lost_its_last_rows_are_made(damaged: Damaged, table: str) -> None:
    lose_last_commit(damaged, table)
    broken = [one for one in damaged.verdicts(table).values() if one.blocking and not one.passed]
    assert broken
    for one in broken:
        assert one.description.startswith(f"Customer globex, table {table}: ")


def test_of_what_a_rebuild_starts_from_no_rebuild_is_advised(damaged: Damaged) -> None:
    damaged.delete("raw_messages", "batch = 1")
    verdict = damaged.verdicts("raw_messages")["claimed_ranges_are_landed"]
    assert not verdict.passed
    assert "A rebuild starts from this table and heals nothing of it." in verdict.description


def test_a_rebuild_heals_a_table_that_lost_its_last_rows(acme: Steps) -> None:
    acme.land("b.ndjson", lines(*of_every_fate("b")))
    acme.run()
    before = acme.all_rows("build")
    lose_last_commit(acme, "assessments")
    assert acme.all_rows("build")["assessments"] != before["assessments"]
    acme.claim_rebuild()
    acme.run()
    assert {**acme.all_rows("build"), "builds": None} == {**before, "builds": None}


def test_maintenance_names_the_table_that_it_cannot_read(acme: Steps) -> None:
    acme.land("b.ndjson", lines(*of_every_fate("b")))
    acme.judge()  # compaction leaves a single file alone
    cut_file(acme, "raw_messages")
    upkeep = Upkeep(max_small_files=0, target_bytes=2**20, retention=timedelta(days=7))
    with pytest.raises(TableDamaged, match=r"^Customer acme, table raw_messages "):
        keep("acme", "raw_messages", acme.uri("raw_messages"), upkeep)


def doctor_on_tables() -> list[dict[str, str]]:
    result = CliRunner().invoke(app, ["doctor", "--json"])
    found = json.loads(result.stdout)
    assert {"lake", "landing", "engine"} <= {one["subject"] for one in found}  # they go on
    return [one for one in found if one["subject"] == "table files"]


def test_the_doctor_names_every_damaged_table_of_every_customer_and_what_heals_it(
    acme: Steps,
) -> None:
    shutil.copytree(acme.folder / "lake" / "acme", acme.folder / "lake" / "globex")
    (sound,) = doctor_on_tables()
    assert (sound["status"], sound["fix"]) == ("ok", "")
    assert sound["told"] == f"those of all {2 * len(WRITTEN)} tables of 2 customers are there"
    cut_file(acme, "exams")
    cut_last_commit(acme, "builds")
    remove_file(replace(acme, customer="globex"), "raw_messages")
    found = doctor_on_tables()
    assert [(one["status"], one["told"].partition(" (")[0]) for one in found] == [
        ("fail", "Customer acme, table builds"),
        ("fail", "Customer acme, table exams"),
        ("fail", "Customer globex, table raw_messages"),
    ]
    assert all(acme.layout.root in one["told"] for one in found)
    assert found[1]["fix"] == f"{CURE}: the table is made again by {AGAIN}"
    assert found[2]["fix"].startswith("Restore its folder from a backup. Without one, move its ")


def test_the_doctor_names_a_commit_without_a_byte_which_takes_its_rows_away(acme: Steps) -> None:
    """As a disk leaves it that lost its power: deltalake reads it as one that changed nothing."""
    last = max((folder_of(acme, "exams") / "_delta_log").glob("*.json"))
    last.write_bytes(b"")
    (found,) = doctor_on_tables()
    assert found["status"] == "fail"
    assert f"1 commits of its log have no byte, such as _delta_log/{last.name}" in found["told"]
    assert found["fix"] == f"{CURE}: the table is made again by {AGAIN}"


def test_the_doctor_says_whom_it_had_no_time_to_look_at(
    acme: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assess_assets.cli.table_findings.SECONDS", -1.0)
    (found,) = table_findings(acme.layout, acme.landing.parent)
    assert (found.status, found.fix) == ("warn", "assess customers")
    assert found.told == "those of 1 of 1 customers were not looked at, for want of time"
