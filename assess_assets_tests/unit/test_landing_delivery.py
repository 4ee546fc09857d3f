"""Landing a file: whole or not at all, once, and never in another one's place."""

import os
from pathlib import Path

import pytest

from assess_assets.sources import landing_delivery
from assess_assets.sources.landing import find_new_ranges
from assess_assets.sources.landing_delivery import land_file
from assess_assets.sources.ranges import (
    AlreadyLanded,
    LandingNameTaken,
    NotALandingFile,
    SourceError,
    lost_rest,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "attempts.json"
    path.write_bytes(b"[1,2]")
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_landed_file_lies_in_the_customers_folder_and_can_be_claimed(
    tmp_path: Path, file: Path
) -> None:
    landed = land_file(file, tmp_path / "landing", "acme")
    assert landed == tmp_path / "landing" / "acme" / "attempts.json"
    assert landed.read_bytes() == b"[1,2]"
    assert names(landed.parent) == ["attempts.json"]
    assert [claim.messages for claim in find_new_ranges(landed.parent, [], 10)] == [2]


def test_a_file_may_land_under_another_name(tmp_path: Path, file: Path) -> None:
    assert land_file(file, tmp_path, "acme", "june.jsonl").name == "june.jsonl"


def test_content_that_lies_there_is_not_landed_again(tmp_path: Path, file: Path) -> None:
    landed = land_file(file, tmp_path, "acme")
    for name in ("attempts.json", "again.json"):
        with pytest.raises(AlreadyLanded, match=r"Customer acme: .* as attempts.json"):
            land_file(file, tmp_path, "acme", name)
    assert names(landed.parent) == ["attempts.json"]


def test_content_that_was_claimed_and_removed_is_not_landed_again(
    tmp_path: Path, file: Path
) -> None:
    landed = land_file(file, tmp_path, "acme")
    claimed = find_new_ranges(landed.parent, [], 10)
    landed.unlink()
    with pytest.raises(AlreadyLanded):
        land_file(file, tmp_path, "acme", "again.json", claimed)


def test_a_file_that_is_gone_and_not_read_whole_is_restored_under_its_name(
    tmp_path: Path, file: Path
) -> None:
    landed = land_file(file, tmp_path, "acme")
    claimed = find_new_ranges(landed.parent, [], 10)
    landed.unlink()
    with pytest.raises(AlreadyLanded, match=r"as attempts.json, which is gone .*--name attempts"):
        land_file(file, tmp_path, "acme", "again.json", claimed, {"attempts.json"})
    restored = land_file(file, tmp_path, "acme", "attempts.json", claimed, {"attempts.json"})
    assert (restored, restored.read_bytes()) == (landed, b"[1,2]")
    with pytest.raises(AlreadyLanded, match="nothing left to do"):
        land_file(file, tmp_path, "acme", "attempts.json", claimed, {"attempts.json"})


def test_the_name_of_a_file_that_was_read_and_removed_is_not_given_again(
    tmp_path: Path, file: Path
) -> None:
    landed = land_file(file, tmp_path, "acme")
    claimed = find_new_ranges(landed.parent, [], 10)
    landed.unlink()
    file.write_bytes(b"[3,4]")
    with pytest.raises(LandingNameTaken, match=r"Customer acme: .*attempts.json was read.*--name"):
        land_file(file, tmp_path, "acme", claimed=claimed)
    assert names(landed.parent) == []
    assert land_file(file, tmp_path, "acme", "july.json", claimed).exists()


def test_a_file_that_was_given_up_and_is_found_lands_under_another_name(
    tmp_path: Path, file: Path
) -> None:
    landed = land_file(file, tmp_path, "acme")
    claimed = find_new_ranges(landed.parent, [], 10)
    landed.unlink()
    claimed.append(lost_rest(claimed[0], "gone", claimed))
    with pytest.raises(LandingNameTaken, match="given up"):
        land_file(file, tmp_path, "acme", claimed=claimed)
    found = land_file(file, tmp_path, "acme", "found.json", claimed)
    assert [claim.messages for claim in find_new_ranges(found.parent, claimed, 10)] == [2]


def test_customers_may_land_the_same_content(tmp_path: Path, file: Path) -> None:
    assert land_file(file, tmp_path, "acme") != land_file(file, tmp_path, "globex")


def test_another_file_of_the_same_name_stays_as_it_is(tmp_path: Path, file: Path) -> None:
    landed = land_file(file, tmp_path, "acme")
    file.write_bytes(b"[3,4]")
    with pytest.raises(LandingNameTaken, match=r"Customer acme: .*another name"):
        land_file(file, tmp_path, "acme")
    assert landed.read_bytes() == b"[1,2]"
    assert names(landed.parent) == ["attempts.json"]


def test_a_name_that_is_taken_at_the_last_moment_stays_as_it_is(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose_the_race(*_: object) -> None:
        (tmp_path / "acme" / "attempts.json").write_bytes(b"[5]")

    monkeypatch.setattr(landing_delivery, "_check_new", lose_the_race)
    with pytest.raises(LandingNameTaken):
        land_file(file, tmp_path, "acme")
    assert (tmp_path / "acme" / "attempts.json").read_bytes() == b"[5]"


def test_a_file_system_without_hard_links_is_named(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(SourceError, match="hard links"):
        land_file(file, tmp_path, "acme")
    assert names(tmp_path / "acme") == []


@pytest.mark.parametrize(
    "name", ["a.csv", ".a.json", "sub/a.json", "../a.json", "a", "\udcff.json"]
)
def test_a_name_that_would_not_be_read_is_refused(tmp_path: Path, file: Path, name: str) -> None:
    with pytest.raises(NotALandingFile, match="Customer acme: "):
        land_file(file, tmp_path / "landing", "acme", name)
    assert not (tmp_path / "landing").exists()


@pytest.mark.parametrize("key", ["", ".", "..", "a/b", "/etc"])
def test_what_is_not_a_customers_key_is_refused(tmp_path: Path, file: Path, key: str) -> None:
    with pytest.raises(NotALandingFile, match="customer's key"):
        land_file(file, tmp_path / "landing", key)


def test_the_name_of_the_customers_topic_is_refused(tmp_path: Path, file: Path) -> None:
    with pytest.raises(NotALandingFile, match="Kafka topic is called"):
        land_file(file, tmp_path / "landing", "json", "assessments.json")
    landed = land_file(file, tmp_path / "landing", "acme", "assessments.json")
    assert landed.name == "assessments.json"


def test_a_file_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotALandingFile, match="not a file"):
        land_file(tmp_path / "none.json", tmp_path / "landing", "acme")
