"""landing_files as a source that Dagster observes: what is recorded, and who could not be seen."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from assess_assets.assets.landing_files import landing_files
from assess_assets.automation.news import look_at_sources, news_of
from assess_assets.resources.lake import LakeResource
from assess_assets.resources.spark import SparkEngine
from assess_assets.sources.landing import find_new_ranges
from assess_assets.sources.landing_customers import landed_folders
from assess_assets.sources.landing_files import folder_version
from assess_assets.sources.ranges import LandedFileUnreadable, SourceRange, lost_rest
from assess_assets.storage.claims import claim_batch, claimed_batches
from assess_assets.tables.ingest import SOURCE_RANGES
from assess_assets_tests.conftest import Platform
from assess_assets_tests.observing import observe_source, told_by_failure
from assess_assets_tests.steps import NOON


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Platform]:
    """Of acme, which was registered first, the landing folder is no folder."""
    with dg.DagsterInstance.ephemeral() as instance:
        platform = Platform(tmp_path, instance)
        platform.register("acme")
        platform.land("globex", "a.ndjson", "{}")
        (platform.settings.landing / "acme").write_text("no folder")
        yield platform


def test_a_folder_that_cannot_be_read_leaves_only_its_customer_unobserved(two: Platform) -> None:
    result, (seen,) = observe_source(two, landing_files, "acme", "globex")
    assert seen.partition == "globex"
    assert seen.tags["dagster/data_version"] == folder_version(two.settings.landing / "globex")
    told = told_by_failure(result)
    assert "1 of 2 customers failed; the others were done." in told
    assert "- acme: Customer acme: the landing folder " in told
    assert "acme can't be listed: Not a directory. Give this process access" in told


def test_the_button_observe_names_nobody_and_looks_at_everybody(two: Platform) -> None:
    result, (seen,) = observe_source(two, landing_files)
    assert seen.partition == "globex"
    assert "1 of 2 customers failed; the others were done." in told_by_failure(result)


def test_once_mended_everybody_is_observed(two: Platform) -> None:
    (two.settings.landing / "acme").unlink()
    result, seen = observe_source(two, landing_files, "acme", "globex")
    assert result.success
    assert [one.partition for one in seen] == ["acme", "globex"]
    assert len({one.tags["dagster/data_version"] for one in seen}) == 2


def test_who_looks_for_news_is_told_of_that_customer_and_sees_the_others(two: Platform) -> None:
    lake = LakeResource.from_settings(two.settings, SparkEngine(url=two.settings.spark))
    acme, globex = look_at_sources(lake, None, ["acme", "globex"])
    with pytest.raises(LandedFileUnreadable, match=r"^Customer acme: the landing folder .*acme"):
        news_of(lake, acme)
    news = news_of(lake, globex)
    assert news is not None
    assert (news.customer, news.told) == ("globex", "1 files")


def test_a_folder_that_is_a_link_to_another_customers_is_not_read(two: Platform) -> None:
    landing = two.settings.landing
    (landing / "acme").unlink()
    (landing / "acme").symlink_to("globex")
    keys, others = landed_folders(landing)
    assert (keys, list(others)) == (["globex"], ["acme"])
    assert others["acme"].startswith("a symbolic link, which may lead to another customer's files")
    result, (seen,) = observe_source(two, landing_files, "acme", "globex")
    assert seen.partition == "globex"
    assert "acme is a symbolic link, which may lead to" in told_by_failure(result)


def test_a_copy_of_what_was_given_up_is_news_and_so_is_what_is_there_again(two: Platform) -> None:
    resource = LakeResource.from_settings(two.settings, SparkEngine(url=two.settings.spark))
    folder = two.settings.landing / "globex"
    first = two.land("globex", "a.ndjson", "{}")
    two.land("globex", "copy.ndjson", "{}")
    claimed = find_new_ranges(folder, [], 10)

    def told() -> str | None:
        (sight,) = look_at_sources(resource, None, ["globex"])
        news = news_of(resource, sight)
        return news.told if news else None

    def claim(ranges: list[SourceRange]) -> None:
        claims = resource.lake.pin(SOURCE_RANGES, "globex")
        claim_batch(claims, claimed_batches(claims), ranges, NOON, "run")

    kept = first.rename(first.with_suffix(".kept"))
    lost = lost_rest(claimed[0], "gone", claimed[:1])
    claim(claimed)
    claim([lost])
    assert told() == "1 files"
    kept.rename(first)
    assert told() == "2 files"
    claim(find_new_ranges(folder, [*claimed, lost], 10))
    assert told() == "an unfinished batch"  # claimed, and not landed here
