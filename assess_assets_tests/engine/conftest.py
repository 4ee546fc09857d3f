"""Customers whose tables are fine, each made once; tests run further, or damage, copies of them."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from pyspark.sql import SparkSession

from assess_assets.sample.messy import messy_lines
from assess_assets_tests import run_everything
from assess_assets_tests.conftest import ENGINE, Platform
from assess_assets_tests.damage import Damaged
from assess_assets_tests.deliveries import lines, of_every_fate
from assess_assets_tests.programs import printed_by
from assess_assets_tests.steps import Steps

SOUND = "globex"


@pytest.fixture(scope="session")
def ran(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Steps:
    """A customer after one run over messages of every fate; for `after_a_run` to be copied."""
    steps = Steps(spark, tmp_path_factory.mktemp("ran"))
    steps.land("a.ndjson", lines(*of_every_fate()))
    steps.run()
    return steps


@pytest.fixture
def after_a_run(ran: Steps, tmp_path: Path) -> Steps:
    """A copy of that customer, to be run further."""
    return ran.copy(tmp_path / "acme")


@pytest.fixture(scope="session")
def sound_platform(
    tmp_path_factory: pytest.TempPathFactory, spark: SparkSession
) -> Iterator[Platform]:
    """Two batches with every fate in each, a file that is cut off, and no further run."""
    with dg.DagsterInstance.ephemeral() as instance:
        platform = Platform(tmp_path_factory.mktemp("sound"), instance)
        messy = [line.text for line in messy_lines()]
        platform.land(SOUND, "messy.ndjson", lines(*messy))
        _run(platform)
        platform.land(SOUND, "later.ndjson", lines(*of_every_fate("later-"), messy[0]))
        platform.land(SOUND, "cut.json.gz", b"\x1f\x8b\x08\x00 not really")
        _run(platform)
        yield platform


def _run(platform: Platform) -> None:
    """On Sail, whatever the engine: both make the same tables (`test_engines_agree`)."""
    if ENGINE == "sail":
        assert platform.materialize(SOUND).success
    else:
        settings = platform.settings
        folders = str(settings.lake), str(settings.landing)
        printed_by(run_everything.__file__, "sail", *folders, SOUND)


@pytest.fixture
def damaged(sound_platform: Platform, tmp_path: Path, spark: SparkSession) -> Damaged:
    """A copy of the sound customer's tables, to be damaged."""
    return Damaged.copy_of(sound_platform.folder / "lake", tmp_path / "lake", spark, SOUND)
