"""Decisions about topics that need no broker: what is claimed, split, refused, and given up.

Belongs here: pure functions. Does not: what a broker does (`services/test_kafka_reading.py`).
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import KafkaError
from hypothesis import given
from hypothesis import strategies as st

from assess_assets.settings import Settings
from assess_assets.sources.kafka import next_ranges, share
from assess_assets.sources.kafka_config import KafkaConfig
from assess_assets.sources.kafka_errors import (
    KafkaNotConfigured,
    OffsetsWentBack,
    TopicOffsetsLost,
    named_error,
)
from assess_assets.sources.kafka_losses import losses
from assess_assets.sources.kafka_publishing import attempt_key
from assess_assets.sources.kafka_source import split
from assess_assets.sources.kafka_topic import TopicState, Watermarks
from assess_assets.sources.ranges import SourceError, SourceRange, without

TOPIC = "assessments.acme"
RANGE = SourceRange(TOPIC, 0, 3, 10, None, None, "id-1", None, 10, None, "read", None)


def state(*marks: tuple[int, int], identity: str = "id-1") -> TopicState:
    return TopicState(identity, {number: Watermarks(*mark) for number, mark in enumerate(marks)})


def offsets(ranges: list[SourceRange]) -> list[tuple[int, int, int]]:
    return [(claim.partition, claim.start_offset, claim.end_offset) for claim in ranges]


@given(st.dictionaries(st.integers(0, 50), st.integers(0, 1000)), st.integers(1, 2000))
def test_a_share_is_all_that_waits_or_all_that_may_be_taken(
    waiting: dict[int, int], most: int
) -> None:
    taken = share(waiting, most)
    assert taken.keys() == waiting.keys()
    assert all(0 <= taken[number] <= waiting[number] for number in waiting)
    assert sum(taken.values()) == min(most, sum(waiting.values()))


def test_a_busy_partition_does_not_starve_the_others() -> None:
    assert share({0: 1_000_000, 1: 10, 2: 40}, 100) == {0: 50, 1: 10, 2: 40}


@given(st.lists(st.integers(1, 9), min_size=1, max_size=20), st.integers(1, 25))
def test_every_partition_has_its_turn_though_a_run_takes_fewer_messages_than_there_are_partitions(
    rates: list[int], most: int
) -> None:
    claimed: list[SourceRange] = []
    rounds = -(-len(rates) // most)
    for now in range(1, 3 * rounds + 1):  # each partition grows on and on
        found = next_ranges(
            "acme", TOPIC, state(*((0, rate * now) for rate in rates)), claimed, most
        )
        claimed += found
        if now % rounds == 0:
            seen = [claim for claim in claimed if claim.messages]
            assert min(
                Counter(claim.partition for claim in seen)[n] for n in range(len(rates))
            ) >= (now // rounds if most <= len(rates) else 1)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_what_was_lost_is_cut_out_of_a_range(a: int, b: int, c: int, d: int) -> None:
    claim = replace(RANGE, start_offset=min(a, b), end_offset=max(a, b))
    gone = replace(RANGE, start_offset=min(c, d), end_offset=max(c, d), kind="lost")
    left = [at for piece in without(claim, [gone]) for at in range(*offsets([piece])[0][1:])]
    cut = range(gone.start_offset, gone.end_offset)
    assert left == [at for at in range(claim.start_offset, claim.end_offset) if at not in cut]


def test_losses_of_another_topic_or_partition_cut_nothing() -> None:
    for other in ({"partition": 1}, {"source": "assessments.b"}, {"identity": "id-2"}):
        assert without(RANGE, [replace(RANGE, **other)]) == [RANGE]


@given(st.integers(0, 100), st.integers(0, 100), st.integers(1, 40))
def test_pieces_cover_a_range_exactly(start: int, messages: int, size: int) -> None:
    claim = replace(RANGE, start_offset=start, end_offset=start + messages)
    covered = [at for _, first, end in offsets(split(claim, size)) for at in range(first, end)]
    assert covered == list(range(start, start + messages))


def test_an_added_partition_is_read_from_its_beginning() -> None:
    assert offsets(next_ranges("acme", TOPIC, state((0, 10), (0, 4)), [RANGE], 100)) == [(1, 0, 4)]
    with pytest.raises(TopicOffsetsLost, match="partition 1 from 0 to 2"):
        next_ranges("acme", TOPIC, state((0, 10), (2, 4)), [RANGE], 100)


def test_offsets_that_went_back_are_refused_and_no_loss_to_accept() -> None:
    with pytest.raises(OffsetsWentBack, match="partition 0 ends at 9, and 10 was claimed"):
        next_ranges("acme", TOPIC, state((0, 9)), [RANGE], 100)
    with pytest.raises(OffsetsWentBack, match="can't be accepted"):
        losses("acme", TOPIC, state((0, 9)), [RANGE], [], "why")


@pytest.mark.parametrize("found", [None, TopicState("another", {0: Watermarks(0, 9)})])
def test_a_topic_that_is_gone_or_another_may_be_one_of_another_cluster(
    found: TopicState | None,
) -> None:
    with pytest.raises(SourceError, match=r"If ASSESS_KAFKA names another cluster .* accept-loss"):
        next_ranges("acme", TOPIC, found, [RANGE], 100)


def test_a_loss_reaches_into_a_batch_that_was_never_landed() -> None:
    (lost,) = losses("acme", TOPIC, state((12, 20)), [RANGE], [RANGE], "why")
    assert (lost.kind, offsets([lost])) == ("lost", [(0, 3, 12)])
    assert without(RANGE, [lost]) == []


def test_the_newest_topic_is_the_one_whose_loss_is_told_when_it_is_made_again_twice() -> None:
    claimed = [RANGE]
    for number in (3, 2):  # ids in falling order
        now = state((0, 5), identity=f"id-{number}")
        claimed += sorted(
            losses("acme", TOPIC, now, claimed, [], "why"), key=lambda claim: claim.source
        )
        claimed += next_ranges("acme", TOPIC, now, claimed, 100)
    assert [claim.source for claim in claimed if claim.kind == "read"] == [
        TOPIC,
        f"{TOPIC}@id-3",
        f"{TOPIC}@id-2",
    ]
    assert next_ranges("acme", TOPIC, state((0, 5), identity="id-2"), claimed, 100) == []


def test_what_was_given_up_with_a_missing_topic_is_not_given_up_again_with_a_new_one() -> None:
    gone = losses("acme", TOPIC, None, [RANGE], [], "gone")
    assert [(claim.source, *offsets([claim])[0]) for claim in gone] == [(TOPIC, 0, 10, 10)]
    made = losses("acme", TOPIC, state((0, 0), identity="id-2"), [RANGE, *gone], [], "made")
    assert [(claim.source, *offsets([claim])[0]) for claim in made] == [(f"{TOPIC}@id-2", 0, 0, 0)]
    claimed = [RANGE, *gone, *made]
    again = losses("acme", TOPIC, state((0, 4), identity="id-3"), claimed, [], "once more")
    assert [claim.source for claim in again] == [f"{TOPIC}@id-3"]


def test_of_many_nearly_equal_reasons_a_few_are_told() -> None:
    down = [
        KafkaError(
            KafkaError._TRANSPORT, f"127.0.0.1:1/bootstrap: refused (after {n}ms in state X)"
        )
        for n in range(9)
    ]
    own = KafkaError(KafkaError._TIMED_OUT, "no answer")
    told = str(named_error("acme", TOPIC, "127.0.0.1:1", own, [*down, own]))
    assert "does not serve topic assessments.acme: no answer; 127.0.0.1:1/bootstrap: r" in told
    assert (told.count("refused"), told.count("no answer")) == (1, 1)


def test_a_loss_in_a_batch_that_was_never_landed_is_given_up_once() -> None:
    lost = losses("acme", TOPIC, state((12, 20)), [RANGE], [RANGE], "why")
    assert losses("acme", TOPIC, state((12, 20)), [RANGE, *lost], [RANGE], "why") == []


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (b'{"user_exam_id": "a-1", "x": {}}', b"a-1"),
        (b'{"user_exam_id": 1}', None),
        (b"{}", None),
        (b"not JSON", None),
        (b"\xff", None),
        (b"[" * 100_000, None),
    ],
)
def test_a_message_is_keyed_by_its_attempt_if_it_names_one(value: bytes, key: bytes | None) -> None:
    assert attempt_key(value) == key


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("client.properties", "# ours\n\nsasl.username = acme\nssl.x=a=b\nenable.y=true\n"),
        ("client.toml", 'sasl.username = "acme"\nssl.x = "a=b"\n[enable]\ny = true\n'),
    ],
)
def test_client_settings_come_from_a_file(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    config = KafkaConfig("host:1", str(tmp_path / name))
    settings = config.client()
    assert settings["bootstrap.servers"] == "host:1"
    assert (settings["sasl.username"], settings["ssl.x"]) == ("acme", "a=b")
    assert settings["enable.y"] == "true"
    assert "acme" not in repr(config)


def test_a_settings_file_that_can_not_be_used_is_named_and_not_quoted(tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    config = KafkaConfig("host:1", str(file))
    with pytest.raises(KafkaNotConfigured, match="No such file"):
        config.client()
    for content in ("a line with secret", "isolation.level=secret"):
        file.write_text(content)
        with pytest.raises(KafkaNotConfigured, match=r"client\.properties") as told:
            config.client()
        assert "secret" not in str(told.value)


def test_client_settings_come_from_the_environment_too_and_before_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "client.properties").write_text("sasl.username=file\nsasl.mechanism=PLAIN\n")
    monkeypatch.setenv("ASSESS_KAFKA_CLIENT__SASL_USERNAME", "acme")
    monkeypatch.setenv("ASSESS_KAFKA_CLIENT__SASL_PASSWORD", "a-secret=;")
    config = KafkaConfig("host:1", str(tmp_path / "client.properties"))
    settings = config.client()
    assert (settings["sasl.username"], settings["sasl.mechanism"]) == ("acme", "PLAIN")
    assert settings["sasl.password"] == "a-secret=;"
    assert "a-secret" not in f"{config!r} {Settings()!r} {Settings().model_dump_json()}"
    monkeypatch.setenv("ASSESS_KAFKA_CLIENT__GROUP_ID", "a-secret")
    with pytest.raises(KafkaNotConfigured, match=r"ASSESS_KAFKA_CLIENT__\* set group.id") as told:
        config.client()
    assert "a-secret" not in str(told.value)


def test_client_settings_that_are_no_object_are_refused_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for wrong in ("a-secret", '["a-secret"]'):
        monkeypatch.setenv("ASSESS_KAFKA_CLIENT", wrong)
        with pytest.raises(ValueError, match="kafka_client") as told:
            Settings()
        assert "a-secret" not in str(told.value)
