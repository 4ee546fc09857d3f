"""Which exams are the hardest: the same order whatever order scores were added in."""

import pytest
from pyspark.sql import SparkSession

from assess_assets.transforms.answers.hardest import ENOUGH, read_hardest_exams

pytestmark = pytest.mark.both_engines

COLUMNS = "exam_name string, average_score double, scored_attempts bigint, is_test boolean"


def test_means_that_differ_in_their_last_bits_alone_go_by_name(spark: SparkSession) -> None:
    means = {"c": 0.5, "b": 0.49999999999999994, "a": 0.5, "d": 0.25, "e": 0.75}
    rows = [(name, mean, ENOUGH, False) for name, mean in means.items()]
    found = read_hardest_exams(spark.createDataFrame(rows, COLUMNS))
    assert [row["exam_name"] for row in found.rows] == ["d", "a", "b", "c", "e"]


def test_an_exam_that_few_took_counts_only_where_all_were_taken_by_few(spark: SparkSession) -> None:
    few = [("few", 0.25, 1, False), ("more", 0.5, ENOUGH - 1, False), ("never", None, 0, False)]
    enough = [("enough", 0.75, ENOUGH, False), ("test", 0.0, ENOUGH, True)]
    found = read_hardest_exams(spark.createDataFrame([*few, enough[1]], COLUMNS))
    assert ([row["exam_name"] for row in found.rows], found.at_least) == (["few", "more"], 1)
    found = read_hardest_exams(spark.createDataFrame([*few, *enough], COLUMNS))
    assert ([row["exam_name"] for row in found.rows], found.at_least) == (["enough"], ENOUGH)
