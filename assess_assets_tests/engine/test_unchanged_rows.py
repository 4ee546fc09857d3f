"""Large tables: rows that an earlier run compared are spared while they are in the same files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import Mock

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from assess_assets.checks import counting
from assess_assets.checks.examine import examine
from assess_assets.checks.facts import Fact, Rate
from assess_assets.checks.recount import RECOUNT
from assess_assets.checks.registry import CHECKED_TABLES, checks_of
from assess_assets.checks.suspicions import LOOK_FOR, SUSPICIONS
from assess_assets.checks.unchanged import Note, notes_in
from assess_assets.checks.verdicts import Verdict
from assess_assets.definitions import build_definitions
from assess_assets.tables.fates import MESSAGE_LEDGER
from assess_assets.tables.registry import table_named
from assess_assets_tests.conftest import Platform
from assess_assets_tests.damage import Damaged
from assess_assets_tests.deliveries import FORM, OTHER_FORM, lines, message

ACME = "acme"
SPARED = "were compared by an earlier run; they are in the same files still."
# Here all tables that have rows count as large.
LARGE = {table.name for table in CHECKED_TABLES} - {
    "quarantined_messages",
    "conflicting_assessments",
}
FACTS = [each for table in CHECKED_TABLES for each in checks_of(table) if isinstance(each, Fact)]
Notes = Mapping[str, Note | None]
Results = Mapping[str, dg.AssetCheckEvaluation]


@dataclass
class Deployment:
    """One customer after a run of each of two batches, all of whose tables count as large."""

    platform: Platform
    after_one: Notes
    of_second: Results
    after_two: Notes


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with dg.DagsterInstance.ephemeral() as instance, pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "LARGE_ROWS", 1)
        platform = Platform(tmp_path_factory.mktemp("deployed"), instance)
        _land(platform, "first")
        platform.materialize(ACME)
        after_one = _notes(platform)
        _land(platform, "second")
        of_second = _results(platform.materialize_range(ACME, ACME))
        yield Deployment(platform, after_one, of_second, _notes(platform))


@pytest.fixture
def damaged(deployed: Deployment, tmp_path: Path, spark: SparkSession) -> Damaged:
    return Damaged.copy_of(deployed.platform.folder / "lake", tmp_path / "lake", spark, ACME)


def _land(platform: Platform, name: str) -> None:
    sent = (message(f"{name}-{i}", form=(FORM, OTHER_FORM)[i % 2]) for i in range(5))
    platform.land(ACME, f"{name}.ndjson", lines(*sent))


def _notes(platform: Platform) -> Notes:
    instance = platform.instance
    return {fact: notes_in(instance, look.table, ACME)(fact) for fact, look in LOOK_FOR.items()}


def _results(run: dg.JobExecutionResult | dg.ExecuteInProcessResult) -> Results:
    """The customer's, by check."""
    found = [
        event.asset_check_evaluation_data
        for event in run.all_events
        if event.event_type_value == "ASSET_CHECK_EVALUATION"
    ]
    return {each.check_name: each for each in found if each.partition == ACME}


def _examined(damaged: Damaged, table: str, notes: Notes) -> dict[str, Verdict]:
    asked = [each for each in checks_of(table_named(table)) if each.name in LOOK_FOR]
    found = examine(damaged.lake, ACME, damaged.policy, asked, noted=notes.get)
    return {verdict.name: verdict for verdict in found}


def test_a_run_looks_at_rows_of_later_batches_only(deployed: Deployment) -> None:
    for fact in LOOK_FOR:
        said = deployed.of_second[fact]
        assert said.passed
        assert str(said.description).endswith(f"Those up to batch 1 {SPARED}")


def test_a_run_with_nothing_new_asks_large_tables_for_their_rows_and_rates_only(
    deployed: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Mock(wraps=counting._count_alone)
    monkeypatch.setattr(counting, "_count_alone", asked)
    evaluations = deployed.platform.materialize(ACME).get_asset_check_evaluations()
    assert not [one for call in asked.call_args_list if not isinstance(one := call.args[1], Rate)]
    told = {each.check_name: each for each in evaluations}
    for fact in FACTS:
        assert told[fact.name].passed
        is_spared = bool(LARGE.intersection(fact.tables))
        assert str(told[fact.name].description).endswith(SPARED) == is_spared, fact.name
    assert set(LOOK_FOR) | {fact.name for fact in RECOUNT} <= {
        fact.name for fact in FACTS if LARGE.intersection(fact.tables)
    }


def test_a_suspicion_notes_the_files_of_every_table_whose_rows_it_compares() -> None:
    for look in SUSPICIONS:
        watermark = set() if MESSAGE_LEDGER.name in look.within_batches else {MESSAGE_LEDGER.name}
        assert set(look.tables) - watermark == set(look.within_batches)
        assert look.table == look.within_batches[0]


@pytest.mark.parametrize("recount", RECOUNT, ids=lambda fact: fact.name)
def test_a_recount_is_made_again_when_a_table_that_it_reads_has_other_files(
    recount: Fact, damaged: Damaged, deployed: Deployment
) -> None:
    notes = {recount.name: notes_in(deployed.platform.instance, recount.table, ACME)(recount.name)}
    assert notes[recount.name]
    (spared,) = examine(damaged.lake, ACME, damaged.policy, [recount], noted=notes.get)
    assert spared.passed
    assert spared.description.endswith(SPARED)
    damaged.delete("assessments", "batch = 1")
    (found,) = examine(damaged.lake, ACME, damaged.policy, [recount], noted=notes.get)
    assert not found.passed


DAMAGES = {
    "options": ("options_equal_those_of_their_attempts", {"is_correct": "not is_correct"}),
    "questions": ("questions_equal_those_of_their_attempts", {"result": "'another'"}),
    "assessments": ("assessments_required_columns_are_filled", {"exam_name": "null"}),
    "message_ledger": ("validator_and_parser_agree", {"option_count": "option_count + 1"}),
}


@pytest.mark.parametrize("table", DAMAGES)
def test_a_commit_that_changes_old_rows_has_everything_looked_at(
    table: str, damaged: Damaged, deployed: Deployment
) -> None:
    check, damage = DAMAGES[table]
    assert all(verdict.passed for verdict in _examined(damaged, table, deployed.after_two).values())
    DeltaTable(damaged.uri(table)).update(updates=damage, predicate="batch = 1")
    verdict = _examined(damaged, table, deployed.after_two)[check]
    assert not verdict.passed
    assert {row["batch"] for row in damaged.failing_rows(table, check)} == {1}


@pytest.mark.parametrize("table", DAMAGES)
def test_rows_that_no_run_has_compared_are_looked_at(
    table: str, damaged: Damaged, deployed: Deployment
) -> None:
    check, damage = DAMAGES[table]
    DeltaTable(damaged.uri(table)).update(updates=damage, predicate="batch = 2")
    assert not _examined(damaged, table, deployed.after_one)[check].passed


def test_what_changed_in_a_file_behind_its_table_is_found_by_checks_that_run_alone(
    deployed: Deployment,
) -> None:
    platform = deployed.platform
    file = Path(DeltaTable(f"{platform.folder}/lake/{ACME}/options").file_uris()[0])
    sound, rows = file.read_bytes(), pq.read_table(file)
    place = rows.column_names.index("is_correct")
    inverted = pc.invert(rows.column("is_correct"))
    file.write_bytes(_parquet(rows.set_column(place, "is_correct", inverted), len(sound)))
    fact = "options_equal_those_of_their_attempts"
    try:
        spared, alone = (platform.materialize(ACME), _checks_alone(platform, "options"))
    finally:
        file.write_bytes(sound)
    assert {each.check_name: each for each in spared.get_asset_check_evaluations()}[fact].passed
    found = {each.check_name: each for each in alone.get_asset_check_evaluations()}[fact]
    assert not found.passed
    assert found.metadata["failing_rows"].value == rows.num_rows


def _parquet(rows: pa.Table, size: int) -> bytes:
    """A file of that size, as the log tells it: what it is shorter stands before its footer."""
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, compression="zstd")
    made: bytes = sink.getvalue().to_pybytes()
    footer = len(made) - 8 - int.from_bytes(made[-8:-4], "little")
    assert len(made) <= size
    return made[:footer] + bytes(size - len(made)) + made[footer:]


def _checks_alone(platform: Platform, table: str) -> dg.ExecuteInProcessResult:
    job = dg.define_asset_job("checks_alone", dg.AssetSelection.checks_for_assets(table))
    made = dg.Definitions.merge(build_definitions(platform.settings), dg.Definitions(jobs=[job]))
    return made.resolve_job_def("checks_alone").execute_in_process(
        instance=platform.instance, raise_on_error=False, tags={"dagster/partition": ACME}
    )
