"""question_difficulty: which questions are hard."""

import dagster as dg
from pyspark.sql import DataFrame

from assess_assets.assets.aggregating import Frames, aggregate_each
from assess_assets.assets.specs import customer_asset
from assess_assets.resources.lake import LakeResource
from assess_assets.storage.io_manager import Tables
from assess_assets.storage.lake import Replacements
from assess_assets.tables.performance import QUESTION_DIFFICULTY
from assess_assets.transforms.question_difficulty import rank_questions


@customer_asset(QUESTION_DIFFICULTY)
def question_difficulty(
    context: dg.AssetExecutionContext, lake: LakeResource, assessments: Tables, questions: Tables
) -> Replacements:
    """One row per question of an exam form: how often it was answered wrong.

    The share wrong is over attempts that answered it at all.
    """
    upstream = {"assessments": assessments, "questions": questions}

    def make(frames: Frames) -> DataFrame:
        return rank_questions(frames["questions"])

    return aggregate_each(context, lake, QUESTION_DIFFICULTY, make, upstream)
