"""questions: attempts exploded."""

import dagster as dg

from assess_assets.assets.exploding import explode_each
from assess_assets.assets.specs import customer_asset
from assess_assets.resources.lake import LakeResource
from assess_assets.storage.io_manager import Tables
from assess_assets.storage.lake import Replacements
from assess_assets.tables.detail import QUESTIONS
from assess_assets.transforms.questions import explode_questions


@customer_asset(QUESTIONS, deps=["message_ledger"])
def questions(
    context: dg.AssetExecutionContext, lake: LakeResource, assessments: Tables
) -> Replacements:
    """One row per question of one attempt.

    Result and flags as the message says them, the result its options say, and when it was
    answered. Only attempts of new batches are exploded; a new build explodes all.
    """
    return explode_each(context, lake, QUESTIONS, explode_questions, assessments)
