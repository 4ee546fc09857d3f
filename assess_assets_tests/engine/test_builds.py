"""Builds: what makes a new one, what it changes, and who may not write any more.

Belongs here: rebuilds and versions. Does not: crashes in the middle of one
(`test_crashes_and_races.py`).
"""

import re
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from assess_assets.assets.builds import claim_if_changed
from assess_assets.customers import CustomerPolicy
from assess_assets.messages import CONTRACT_VERSION
from assess_assets.storage.builds import OlderCode, PolicyChanged, Versions
from assess_assets.storage.protocol import UpstreamNotReady
from assess_assets.versions import CODE_VERSION
from assess_assets_tests.deliveries import FORM, lines, of_every_fate
from assess_assets_tests.steps import CUSTOMER, MADE, Steps


@pytest.fixture
def acme(after_a_run: Steps) -> Steps:
    """A customer after one run."""
    return after_a_run


def policy(version: int, *test_exam_ids: str) -> CustomerPolicy:
    return CustomerPolicy.model_validate({"version": version, "test_exam_ids": test_exam_ids})


def test_the_first_run_makes_build_1(acme: Steps) -> None:
    versions = {"contract_version": CONTRACT_VERSION, "policy_version": 1}
    row = {"build": 1, "reason": "first run", **versions}
    assert acme.rows("builds", *row) == [row]
    assert {row["build"] for name in MADE for row in acme.rows(name)} == {1}


def test_a_rebuild_gives_the_same_tables_and_leaves_raw_messages_alone(acme: Steps) -> None:
    acme.land("b.ndjson", lines(*of_every_fate("later ")))
    acme.run()
    before, versions = acme.all_rows("build"), acme.versions()
    assert acme.claim_rebuild("asked for") == 2
    acme.run()
    after = acme.all_rows("build")
    assert [row["reason"] for row in after.pop("builds")] == ["first run", "asked for"]
    del before["builds"]
    assert after == before
    assert {row["build"] for name in MADE for row in acme.rows(name)} == {2}
    for table in ("source_ranges", "raw_messages"):
        assert acme.versions()[table] == versions[table]


@pytest.mark.parametrize("on_purpose", [True, False])
def test_a_build_that_builds_forgot_is_not_claimed_again(on_purpose: bool, acme: Steps) -> None:
    """Tables that carry its number would not be made again."""
    before = acme.all_rows("build")
    DeltaTable(acme.uri("questions")).update({"result": "'correct'"})
    acme.empty("builds")
    if on_purpose:
        assert acme.claim_rebuild("asked for") == 2
    acme.run()
    told = "asked for" if on_purpose else "builds was empty, after build 1"
    assert acme.rows("builds", "build", "reason") == [{"build": 2, "reason": told}]
    assert {row["build"] for name in MADE for row in acme.rows(name)} == {2}
    after = acme.all_rows("build")
    del before["builds"], after["builds"]
    assert after == before


def test_a_policy_change_makes_a_new_build_in_which_test_data_is_flagged(acme: Steps) -> None:
    def flags() -> dict[str, set[Any]]:
        return {
            name: {(row["base_exam_id"] == FORM.base_exam_id, row["is_test"]) for row in rows}
            for name in ("assessments", "questions", "options", "exams")
            for rows in [acme.rows(name, "base_exam_id", "is_test")]
        }

    assert set(map(frozenset, flags().values())) == {frozenset({(True, False), (False, False)})}
    acme.policy = policy(2, FORM.base_exam_id)
    acme.run()
    assert acme.values("builds", "reason") == ["first run", "policy version 1 to 2"]
    assert set(map(frozenset, flags().values())) == {frozenset({(True, True), (False, False)})}


def test_a_policy_that_was_changed_under_its_old_version_is_refused(acme: Steps) -> None:
    acme.land("b.ndjson", lines(*of_every_fate("later ")))
    assert acme.stop_before("builds") == "builds"
    before, said = acme.versions(), acme.policy
    acme.policy = policy(1, FORM.base_exam_id)
    told = re.escape(
        f"Customer acme: the policy is {acme.policy.content}, and build 1 was made with "
        f"{said.content}, both as version 1. Nothing was written. Raise `version`"
    )
    with pytest.raises(PolicyChanged, match=told):
        acme.run()
    with pytest.raises(PolicyChanged, match=told):
        list(acme.parse())
    assert acme.versions() == before
    acme.policy = said
    acme.run()
    assert acme.values("builds", "reason") == ["first run"]


@pytest.mark.parametrize("raised", [True, False])
def test_a_changed_policy_takes_effect_by_a_higher_version_or_a_rebuild_on_purpose(
    acme: Steps, raised: bool
) -> None:
    acme.policy = policy(2 if raised else 1, FORM.base_exam_id)
    if not raised:
        acme.claim_rebuild()
    acme.run()
    assert [row["build"] for row in acme.rows("builds")] == [1, 2]
    assert set(acme.values("assessments", "is_test")) == {True, False}
    assert acme.values("builds", "policy_content")[1] == acme.policy.content


def test_what_a_build_of_older_code_was_made_with_is_not_known_and_not_asked(acme: Steps) -> None:
    DeltaTable(acme.uri("builds")).update(updates={"policy_content": "null"})
    before = acme.versions()
    acme.run()
    assert acme.versions() == before


def test_a_policy_without_any_test_exam_flags_nothing(acme: Steps) -> None:
    acme.policy = policy(2)
    acme.run()
    assert acme.values("assessments", "is_test") == [False, False, False]


def test_older_code_refuses_to_run_over_newer(acme: Steps) -> None:
    newer = Versions(CONTRACT_VERSION, policy=2, code=CODE_VERSION + 1)
    claim_if_changed(acme.lake, CUSTOMER, newer, "run")
    before = acme.versions()
    code = f"code version {CODE_VERSION} to {CODE_VERSION + 1}"
    told = rf"build 2 was made with newer versions \(policy version 1 to 2; {code}\)"
    with pytest.raises(OlderCode, match=told):
        acme.run()
    with pytest.raises(OlderCode, match=told):
        list(acme.parse())
    with pytest.raises(OlderCode, match=told):
        acme.claim_rebuild()
    assert acme.versions() == before


@pytest.mark.parametrize("newer", [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_one_older_version_is_enough_to_refuse(acme: Steps, newer: tuple[int, int, int]) -> None:
    contract, policy, code = newer
    mixed = Versions(CONTRACT_VERSION + contract, 1 + policy, CODE_VERSION + code)
    claim_if_changed(acme.lake, CUSTOMER, mixed, "run")
    with pytest.raises(OlderCode):
        acme.run()


def test_newer_code_does_not_write_under_an_older_build(acme: Steps) -> None:
    """Materializing `assessments` alone after a policy change must not mix two policies."""
    acme.land("b.ndjson", lines(*of_every_fate("later ")))
    assert acme.stop_before("builds") == "builds"
    before = acme.versions()
    acme.policy = policy(2, FORM.base_exam_id)
    with pytest.raises(UpstreamNotReady, match="build 1 is from before policy version 1 to 2"):
        list(acme.parse())
    assert acme.versions() == before


@pytest.mark.both_engines
def test_a_step_of_a_superseded_build_is_stopped(acme: Steps) -> None:
    """A run that decided in build 1 may go on only until another has made build 2."""
    acme.land("b.ndjson", lines(*of_every_fate("later ")))
    other = Steps(acme.spark, acme.folder)
    superseded = acme.pauses()
    assert any(name == "message_ledger" for name in superseded)
    other.claim_rebuild()
    with pytest.raises(UpstreamNotReady, match="table message_ledger holds builds 1 to 1"):
        list(superseded)  # its ledger is of build 1; questions must not be made from it
    acme.run()
    assert {row["build"] for name in MADE for row in acme.rows(name)} == {2}


def test_without_a_build_nothing_is_parsed(spark: SparkSession, tmp_path: Path) -> None:
    nobody = Steps(spark, tmp_path / "nobody")
    with pytest.raises(UpstreamNotReady, match="Customer acme has no build yet"):
        list(nobody.parse())


def test_steps_of_a_rebuild_that_is_not_finished_wait_for_it(acme: Steps) -> None:
    acme.claim_rebuild()
    assert acme.stop_before("message_ledger") == "message_ledger"
    before = acme.rows("exams")
    with pytest.raises(UpstreamNotReady, match="table message_ledger holds builds 1 to 1"):
        list(acme.aggregate_named("exams"))
    assert acme.rows("exams") == before
