"""The load generator: the same bytes each time, in the shape of genuine messages, fast and small.

Belongs here: the generator and the registry of kinds alone. Does not: what tables make of them
(`engine/test_load_with_known_truth`, `engine/test_bad_input`).
"""

import hashlib
import json
import random
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest

from assess_assets.messages import Rule, judge
from assess_assets.sample.defects import ALL_KINDS, FILE_KINDS, KINDS, Kind
from assess_assets.sample.load import TRUTH, write_load
from assess_assets.sample.templates import Templates


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates(random.Random(1))


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.*"))
    }


def test_the_same_seed_writes_the_same_bytes_and_another_seed_other_ones(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_load(tmp_path / name, 2_000, 2, 0.1, seed)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    same = contents(tmp_path / "a").items() & contents(tmp_path / "c").items()
    assert all("odd-" in name for name, _ in same)  # such a file may have no message at all


def test_a_share_that_leaves_too_few_good_messages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a share up to 0\.9"):
        write_load(tmp_path / "load", 10, 1, 0.95)
    assert not (tmp_path / "load").exists()


def test_a_load_has_the_messages_and_customers_that_were_asked_for(tmp_path: Path) -> None:
    made = write_load(tmp_path, 1_001, 3, 0)
    assert (made.messages, made.fates) == (1_001, Counter(accepted=1_001))
    assert (tmp_path / TRUTH).read_text() == ""
    lines = [path.read_bytes().count(b"\n") for path in sorted(tmp_path.glob("*/*.ndjson"))]
    arrays = [json.loads(path.read_bytes()) for path in sorted(tmp_path.glob("*/array.json"))]
    assert [one + len(other) for one, other in zip(lines, arrays, strict=True)] == [333, 334, 334]


def test_the_truth_names_each_odd_message_by_its_place(tmp_path: Path) -> None:
    made = write_load(tmp_path, 3_000, 2, 0.2)
    truths = [json.loads(line) for line in (tmp_path / TRUTH).read_text().splitlines()]
    assert 500 < len(truths) < 700
    kinds = Counter(each["kind"] for each in truths)
    assert kinds.keys() == {kind.name for kind in ALL_KINDS if not kind.is_large}
    assert len({(each["customer"], each["file"], each["offset"]) for each in truths}) == len(truths)
    odd = next(each for each in truths if each["kind"] == "not json")
    lines = (tmp_path / odd["customer"] / odd["file"]).read_bytes().split(b"\n")
    assert lines[odd["offset"]].startswith(b"<html>")
    assert made.fates.total() == made.messages


def test_a_made_up_message_has_3_kilobytes_and_no_fault_and_is_another_one_each_time(
    templates: Templates,
) -> None:
    messages = [templates.message() for _ in range(2_000)]
    verdicts = [judge(message) for message in messages]
    assert {(verdict.rule, verdict.unmapped) for verdict in verdicts} == {(None, None)}
    assert len({verdict.attempt_id for verdict in verdicts}) == len(messages)
    assert sum(map(len, messages)) / len(messages) == pytest.approx(3_300, rel=0.05)


def test_the_times_of_a_made_up_message_follow_each_other(templates: Templates) -> None:
    for _ in range(200):
        record = json.loads(templates.message())
        ticks = [
            option["at"]
            for question in record["sequences"]["questions"]
            for option in question["options"]
            if "at" in option
        ]
        times = [record["started_at"], *ticks]
        assert times == sorted(times)
        assert len({time[:13] for time in times}) == 1
        assert int(record["keen_id"][:8], 16) == int(float(record["keen_timestamp"]))


def test_memory_does_not_grow_with_the_load(tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        write_load(tmp_path, 5_000, 2, 0.05)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.ndjson")) > 15_000_000
    assert peak < 11_000_000


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_validator_alone_gives_each_kind_its_rule_and_path(
    templates: Templates, kind: Kind
) -> None:
    verdict = judge(kind.make(random.Random(1), templates.message(), templates.message()))
    assert (verdict.rule, verdict.json_path) == (kind.outcome.rule, kind.outcome.path)


def test_every_kind_has_a_name_of_its_own_and_a_meaning_and_every_rule_has_a_kind() -> None:
    assert len({kind.name for kind in ALL_KINDS}) == len(ALL_KINDS)
    assert all(kind.meaning.endswith(".") for kind in ALL_KINDS)
    ruled = {kind.outcome.rule for kind in KINDS}
    ruled |= {outcome.rule for kind in FILE_KINDS for outcome in kind.outcomes}
    assert ruled - {None} == set(Rule)
