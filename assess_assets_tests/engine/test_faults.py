"""The harness of `faults`, in short: real processes are killed, or their writes fail.

After each fault one rerun has to finish everything. The processes run on Sail, whatever the engine
of this one is. `make faults` inflicts hundreds.
"""

from pathlib import Path

import pytest

from assess_assets_tests.faults.harness import FAILURES, Harness, faults

pytestmark = pytest.mark.faults

KILLS = 20


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Harness:
    return Harness(tmp_path_factory.mktemp("faults"), seed=1)


def test_after_a_kill_anywhere_one_rerun_finishes_everything(harness: Harness) -> None:
    for kind in faults(KILLS, failures=0):
        harness.inflict(kind)
    tallies = list(harness.tallies.values())
    assert [told for tally in tallies for told in tally.told] == []
    assert sum(tally.number for tally in tallies) == KILLS
    assert sum(tally.hit for tally in tallies) > KILLS / 2, "most kills came before the end"
    assert sum(tally.versions_read for tally in tallies) > 10 * KILLS


@pytest.mark.parametrize("kind", FAILURES)
def test_after_writes_that_fail_one_rerun_finishes_everything(harness: Harness, kind: str) -> None:
    before = harness.tallies[kind].hit
    for _ in range(2):
        tally = harness.inflict(kind)
    assert tally.told == []
    assert tally.hit > before, "no write failed"


def test_a_killed_run_of_dagster_is_finished_by_the_next(tmp_path: Path) -> None:
    harness = Harness(tmp_path, seed=2, dagster_every=1)
    tally = harness.inflict("kill before a commit")
    assert (tally.hit, tally.by_dagster, tally.told) == (1, 1, [])
