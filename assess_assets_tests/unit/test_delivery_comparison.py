"""What was acknowledged against what is stored: the comparison sees each way to be wrong."""

from collections import Counter

import pytest

from assess_assets_tests.faults.publishing import Placed, lost_and_repeated

A, B, C = (0, 0, b"a"), (0, 1, b"b"), (1, 0, b"c")
ACKNOWLEDGED = Counter([A, B, C])


@pytest.mark.parametrize(
    ("stored", "counted"),
    [
        ([A, B, C], (0, 0)),
        ([A, C], (1, 0)),
        ([], (3, 0)),
        ([A, B, B, C], (0, 1)),
        ([A, B, C, (0, 2, b"b")], (0, 1)),
        ([A, B, (1, 1, b"c")], (1, 1)),
        ([A, B, (1, 0, b"x")], (1, 1)),
    ],
    ids=[
        "all, once",
        "one is missing",
        "nothing is there",
        "a row is there twice",
        "the producer's retry is in the log twice",
        "one is elsewhere than it was placed",
        "one is there with another content",
    ],
)
def test_each_message_is_where_it_was_acknowledged_and_only_there(
    stored: list[Placed], counted: tuple[int, int]
) -> None:
    assert lost_and_repeated(ACKNOWLEDGED, Counter(), stored) == counted


def test_a_message_that_nobody_answered_for_may_be_there_once() -> None:
    unknown = Counter([b"maybe"])
    for stored, counted in (
        ([], (0, 0)),
        ([(0, 2, b"maybe")], (0, 0)),
        ([(0, 2, b"maybe"), (1, 1, b"maybe")], (0, 1)),
        ([(0, 2, b"maybe"), (0, 2, b"maybe")], (0, 1)),
    ):
        assert lost_and_repeated(ACKNOWLEDGED, unknown, [A, B, C, *stored]) == counted


def test_an_offset_that_a_broker_gave_twice_is_a_loss() -> None:
    given_twice = Counter([A, B, (0, 1, b"after the restart")])
    assert lost_and_repeated(given_twice, Counter(), [A, B]) == (1, 0)
