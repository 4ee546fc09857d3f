"""Which exams are the hardest: the same order whatever order scores were added in."""

from typing import Any

from assess_assets.transforms.answers.about_performance import _hardest


def exam(name: str, average: float) -> dict[str, Any]:
    return {
        "exam_name": name,
        "is_test": False,
        "scored_attempts": 10,
        "scored_messages": 10,
        "average_score": average,
        "average_score_by_message": average,
        "score_stddev": 0.1,
    }


def test_means_that_differ_in_their_last_bits_alone_go_by_name() -> None:
    below = exam("b", 0.49999999999999994)
    found = _hardest([exam("c", 0.5), below, exam("a", 0.5), exam("d", 0.25), exam("e", 0.75)])
    assert [row["exam"] for row in found.rows] == ["d", "a", "b", "c", "e"]
