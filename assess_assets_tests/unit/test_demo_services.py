"""The demo on several deployments: which answers count as the same."""

import pytest

from assess_assets.cli.demo_services import same_answers


def test_the_order_of_adding_does_not_make_other_answers() -> None:
    one = {"answers": [{"name": "mean", "by_message": 67.61421319796953, "by_attempt": None}]}
    other = {"answers": [{"name": "mean", "by_message": 67.61421319796955, "by_attempt": None}]}
    assert same_answers(one, other)


@pytest.mark.parametrize(
    "other",
    [
        {"attempts": 3242, "mean": [67.6142]},
        {"attempts": 3243, "mean": [67.61421319796953]},
        {"attempts": 3242, "mean": [67.61421319796953, 1.0]},
        {"attempts": 3242, "mean": [None]},
        {"attempts": 3242},
    ],
)
def test_any_other_difference_does(other: dict[str, object]) -> None:
    assert not same_answers({"attempts": 3242, "mean": [67.61421319796953]}, other)
