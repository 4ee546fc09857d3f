"""exams: how often each exam form was taken."""

import dagster as dg
from pyspark.sql import DataFrame

from assess_assets.assets.aggregating import Frames, aggregate_each
from assess_assets.assets.specs import customer_asset
from assess_assets.resources.lake import LakeResource
from assess_assets.storage.io_manager import Tables
from assess_assets.storage.lake import Replacements
from assess_assets.tables.exams import EXAMS
from assess_assets.transforms.attempts import count_messages
from assess_assets.transforms.exams import summarize_exams


@customer_asset(EXAMS)
def exams(
    context: dg.AssetExecutionContext,
    lake: LakeResource,
    assessments: Tables,
    message_ledger: Tables,
    questions: Tables,
) -> Replacements:
    """One row per base exam id: one form of an exam.

    Names, messages and attempts, distinct questions seen, and when it was first and last taken.
    """
    upstream = {
        "assessments": assessments,
        "message_ledger": message_ledger,
        "questions": questions,
    }

    def make(frames: Frames) -> DataFrame:
        return summarize_exams(
            count_messages(frames["assessments"], frames["message_ledger"]), frames["questions"]
        )

    return aggregate_each(context, lake, EXAMS, make, upstream)
