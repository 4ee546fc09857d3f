"""Figures about exams' names: the base exam ids that share one, and which one is meant."""

import pytest
from pyspark.sql import SparkSession

from assess_assets.transforms.answers.exam_figures import (
    UnknownExam,
    choose_exam,
    read_forms_of_shared_names,
)

pytestmark = pytest.mark.both_engines


def test_a_shared_name_has_what_was_taken_under_it_alone_of_a_form_with_other_names(
    spark: SparkSession,
) -> None:
    taken = [("Git", "a", 1), ("Git", "a", 2), ("Git", "b", 1), ("SQL", "a", 9)]
    attempts = spark.createDataFrame(
        taken, "exam_name string, base_exam_id string, messages bigint"
    )
    counts = spark.createDataFrame(
        [("Git", 2), ("SQL", 1)], "exam_name string, base_exam_ids bigint"
    )
    assert read_forms_of_shared_names(attempts, counts).rows == [
        {"exam_name": "Git", "base_exam_id": "a", "messages": 3, "attempts": 2},
        {"exam_name": "Git", "base_exam_id": "b", "messages": 1, "attempts": 1},
    ]


def test_names_like_one_that_nobody_took_are_proposed_whatever_their_capitals(
    spark: SparkSession,
) -> None:
    counts = spark.createDataFrame(
        [(1, "Learning Git"), (2, "learning git"), (3, "Calculus")],
        "popularity_rank bigint, exam_name string",
    )
    with pytest.raises(UnknownExam, match=r"Did you mean 'Learning Git' or 'learning git'\? List"):
        choose_exam("acme", [], "LEARNING", counts)
