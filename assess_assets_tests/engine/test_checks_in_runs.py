"""Checks as Dagster runs them: for one customer, for a range, alone; and what they stop."""

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.storage.asset_check_state import AssetCheckState
from deltalake import DeltaTable

from assess_assets.customers import CUSTOMERS
from assess_assets.definitions import build_definitions
from assess_assets_tests.conftest import Platform

LEDGER = dg.AssetKey("message_ledger")
BALANCED = dg.AssetCheckKey(LEDGER, "every_message_has_one_fate")
HOSTILE = "_2e_2e_2fetc_27_3b"  # ../etc';
RANGE = "dagster/asset_partition_range"


@pytest.fixture
def pair(sound_platform: Platform, tmp_path: Path) -> Iterator[Platform]:
    """Two customers that are fine: globex, and another whose name is nobody's idea of one."""
    for part in ("lake", "landing"):
        root = sound_platform.folder / part
        shutil.copytree(root, tmp_path / part)
        shutil.copytree(root / "globex", tmp_path / part / HOSTILE)
    with dg.DagsterInstance.ephemeral() as instance:
        platform = Platform(tmp_path, instance)
        platform.register("globex", HOSTILE)
        yield platform


def _damage(platform: Platform, customer: str, lost: int = 1) -> None:
    """Lose some messages' fates."""
    uri = f"{platform.folder}/lake/{customer}/message_ledger"
    DeltaTable(uri).delete(f"source = 'messy.ndjson' and offset < {lost}")


def _run_checks(
    platform: Platform, *tables: str, customer: str | None = None, **tags: str
) -> dg.ExecuteInProcessResult:
    """A run of nothing but the checks of some tables."""
    selection = dg.AssetSelection.checks_for_assets(*tables)
    job = dg.define_asset_job("only_checks", selection)
    made = dg.Definitions.merge(build_definitions(platform.settings), dg.Definitions(jobs=[job]))
    if customer is not None:  # as a tag: a job of checks alone takes no `partition_key` (1.13.27)
        tags["dagster/partition"] = customer
    return made.resolve_job_def("only_checks").execute_in_process(
        instance=platform.instance, raise_on_error=False, tags=tags
    )


def _evaluations(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {each.check_name: each for each in result.get_asset_check_evaluations()}


def _steps(result: dg.ExecuteInProcessResult, kind: str) -> set[str]:
    return {
        event.step_key
        for event in result.all_events
        if event.event_type_value == kind and event.step_key
    }


def _statuses(
    instance: dg.DagsterInstance,
    check: dg.AssetCheckKey,
    partitions: dg.PartitionsDefinition[str] = CUSTOMERS,
) -> dict[str, str]:
    """What Dagster (its pages and its automation) knows of a check, by partition."""
    with partition_loading_context(dynamic_partitions_store=instance):
        states = instance.event_log_storage.get_asset_check_state([(check, partitions)])
        state: AssetCheckState = states[check]
        return {
            customer: status.value
            for status, subset in state.subsets.items()
            for customer in subset.subset_value.get_partition_keys()
        }


def test_a_check_alone_runs_one_step_for_one_customer(pair: Platform) -> None:
    result = _run_checks(pair, "options", customer=HOSTILE)
    assert _steps(result, "STEP_SUCCESS") == {"check_options"}
    found = _evaluations(result)
    assert set(found) == {
        "options_schema_matches_its_contract",
        "options_required_columns_are_filled",
        "options_keys_are_unique",
        "every_option_has_its_question",
        "every_question_has_all_its_options",
        "options_equal_those_of_their_attempts",
    }
    assert all(each.passed and each.partition == HOSTILE for each in found.values())


@pytest.mark.both_engines
def test_a_blocking_check_that_fails_stops_what_follows(pair: Platform) -> None:
    _damage(pair, "globex")
    result = pair.materialize("globex", raise_on_error=False)
    assert not result.success
    broken = _evaluations(result)[BALANCED.name]
    assert (broken.passed, broken.blocking, broken.partition) == (False, True, "globex")
    assert broken.metadata["failing_rows"].value == 1
    assert "parse_messages" in _steps(result, "STEP_SUCCESS")
    assert {"questions", "options", "exams", "exam_counts"}.isdisjoint(_steps(result, "STEP_START"))
    assert _statuses(pair.instance, BALANCED) == {"globex": "FAILED"}


def test_a_warning_stops_nothing_and_every_check_runs_after_all_that_it_reads(
    pair: Platform,
) -> None:
    result = pair.materialize("globex")
    assert result.success
    warned = _evaluations(result)["quarantine_rate"]
    assert (warned.passed, warned.severity.value, warned.blocking) == (False, "WARN", False)
    order = [e.step_key for e in result.all_events if e.event_type_value == "STEP_SUCCESS"]
    assert order.index("check_options") > order.index("questions")
    assert order.index("check_message_ledger") < order.index("questions")
    assert order.index("check_exams") < order.index("customer_overview")


def test_a_rate_above_the_limit_of_one_customers_policy_stops_it(pair: Platform) -> None:
    policies = pair.folder / "policies.toml"
    policies.write_text(f"[customers.{HOSTILE}]\nmax_quarantine_share = 0.05\n")
    pair.with_settings(policies=policies)
    assert _run_checks(pair, "message_ledger", customer="globex").success
    result = pair.materialize(HOSTILE, raise_on_error=False)
    stopped = _evaluations(result)["quarantine_rate_is_within_its_limit"]
    assert (stopped.passed, stopped.severity.value) == (False, "ERROR")
    assert "questions" not in _steps(result, "STEP_START")


def test_in_a_range_each_customer_has_its_own_result(pair: Platform) -> None:
    _damage(pair, "globex")
    result = pair.materialize_range("globex", HOSTILE)
    assert not result.success
    assert _statuses(pair.instance, BALANCED) == {"globex": "FAILED", HOSTILE: "SUCCEEDED"}
    unique = dg.AssetCheckKey(LEDGER, "message_ledger_keys_are_unique")
    assert _statuses(pair.instance, unique) == {"globex": "SUCCEEDED", HOSTILE: "SUCCEEDED"}
    together = next(
        each
        for each in result.get_asset_check_evaluations()
        if each.check_name == BALANCED.name and each.partition is None
    )
    assert together.description is not None
    assert together.description.startswith("1 of 2 customers pass. Customer globex, table message")
    assert together.metadata["failed_customers"].value == ["globex"]
    command = together.metadata["command for globex"].value
    assert str(command).startswith('assess sql --customer globex "')


def test_in_a_range_automation_is_open_for_whom_the_checks_passed(pair: Platform) -> None:
    _damage(pair, "globex")
    pair.materialize_range("globex", HOSTILE)
    gate = dg.AutomationCondition.all_deps_blocking_checks_passed()

    @dg.asset(
        deps=[LEDGER],
        partitions_def=CUSTOMERS,
        automation_condition=gate & ~dg.AutomationCondition.in_progress(),
    )
    def follower() -> None: ...

    made = dg.Definitions.merge(build_definitions(pair.settings), dg.Definitions(assets=[follower]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # Dagster's, of a call of its own
        asked = dg.evaluate_automation_conditions(made, pair.instance)
    assert asked.get_requested_partitions(dg.AssetKey("follower")) == {HOSTILE}


def test_checks_alone_for_a_range_report_each_customer(pair: Platform) -> None:
    _damage(pair, HOSTILE)
    tags = {f"{RANGE}_start": "globex", f"{RANGE}_end": HOSTILE}
    assert not _run_checks(pair, "message_ledger", **tags).success
    assert _statuses(pair.instance, BALANCED) == {"globex": "SUCCEEDED", HOSTILE: "FAILED"}


def test_the_button_execute_all_names_nobody_and_checks_everybody(pair: Platform) -> None:
    pair.instance.report_runless_asset_event(dg.AssetMaterialization(LEDGER, partition="globex"))
    assert _run_checks(pair, "message_ledger").success
    assert _statuses(pair.instance, BALANCED) == {"globex": "SUCCEEDED", HOSTILE: "SUCCEEDED"}
    _damage(pair, HOSTILE)
    assert not _run_checks(pair, "message_ledger").success
    assert _statuses(pair.instance, BALANCED) == {"globex": "SUCCEEDED", HOSTILE: "FAILED"}


def test_a_range_of_one_customer_is_that_customers_result(pair: Platform) -> None:
    tags = {f"{RANGE}_start": HOSTILE, f"{RANGE}_end": HOSTILE}
    assert _run_checks(pair, "message_ledger", **tags).success
    assert _statuses(pair.instance, BALANCED) == {HOSTILE: "SUCCEEDED"}


def test_a_reversed_range_is_an_error(pair: Platform) -> None:
    tags = {f"{RANGE}_start": HOSTILE, f"{RANGE}_end": "globex"}
    assert not _run_checks(pair, "message_ledger", **tags).success


def test_a_customer_without_messages_passes(platform: Platform) -> None:
    platform.register("nobody")
    result = platform.materialize("nobody")
    assert all(each.passed for each in result.get_asset_check_evaluations())


def test_a_customer_that_never_ran_is_told_what_to_run(platform: Platform) -> None:
    platform.register("nobody")
    result = _run_checks(platform, "options", customer="nobody")
    for each in result.get_asset_check_evaluations():
        assert not each.passed
        assert each.description is not None
        assert "does not exist yet. Materialize it first" in each.description
    assert not (platform.folder / "lake").exists()


def test_a_text_that_is_no_customers_key_is_refused(platform: Platform) -> None:
    platform.register("../x")
    assert not _run_checks(platform, "options", customer="../x").success


def test_customers_that_are_examined_at_the_same_time_do_not_meet(pair: Platform) -> None:
    customers = [f"customer-{number}" for number in range(6)]
    for lost, customer in enumerate(customers):
        shutil.copytree(pair.folder / "lake" / "globex", pair.folder / "lake" / customer)
        _damage(pair, customer, lost)
    pair.register(*customers)
    tags = {f"{RANGE}_start": customers[0], f"{RANGE}_end": customers[-1]}
    _run_checks(pair, "message_ledger", **tags)
    found = _evaluations_by_customer(pair.instance, BALANCED)
    assert {name: each.passed for name, each in found.items()} == {
        customer: not lost for lost, customer in enumerate(customers)
    }
    for lost, customer in list(enumerate(customers))[1:]:
        metadata = found[customer].metadata
        assert metadata["failing_rows"].value == lost
        assert metadata["rows_of_message_ledger"].value == 65 - lost
        assert f"--customer {customer} " in str(metadata["command"].value)


def _evaluations_by_customer(
    instance: dg.DagsterInstance, check: dg.AssetCheckKey
) -> dict[str, dg.AssetCheckEvaluation]:
    """The newest that was reported of each customer."""
    history = instance.event_log_storage.get_asset_check_execution_history(check, limit=100)
    found: dict[str, dg.AssetCheckEvaluation] = {}
    for record in reversed(history):
        evaluation = record.evaluation
        if isinstance(evaluation, dg.AssetCheckEvaluation) and evaluation.partition:
            found[evaluation.partition] = evaluation
    return found


def test_dagster_still_stores_one_result_for_a_range() -> None:
    """When this fails, Dagster records each partition's result: remove checks/range_runs.py."""
    keys = dg.StaticPartitionsDefinition(["a", "b"])

    @dg.asset(partitions_def=keys, backfill_policy=dg.BackfillPolicy.single_run())
    def numbers() -> None: ...

    @dg.asset_check(asset=numbers, partitions_def=keys)
    def numbers_are_fine() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    with dg.DagsterInstance.ephemeral() as instance:
        made = dg.Definitions(assets=[numbers], asset_checks=[numbers_are_fine])
        job = made.resolve_implicit_global_asset_job_def()
        tags = {f"{RANGE}_start": "a", f"{RANGE}_end": "b"}
        result = job.execute_in_process(instance=instance, tags=tags)
        (stored,) = result.get_asset_check_evaluations()
        assert stored.partition is None
        key = dg.AssetCheckKey(dg.AssetKey("numbers"), "numbers_are_fine")
        assert "SUCCEEDED" not in _statuses(instance, key, keys).values()
