"""exam_counts: how popular each exam is."""

import dagster as dg
from pyspark.sql import DataFrame

from assess_assets.assets.aggregating import Frames, aggregate_each
from assess_assets.assets.specs import customer_asset
from assess_assets.resources.lake import LakeResource
from assess_assets.storage.io_manager import Tables
from assess_assets.storage.lake import Replacements
from assess_assets.tables.exams import EXAM_COUNTS
from assess_assets.transforms.attempts import count_messages
from assess_assets.transforms.exam_counts import count_exams


@customer_asset(EXAM_COUNTS)
def exam_counts(
    context: dg.AssetExecutionContext,
    lake: LakeResource,
    assessments: Tables,
    message_ledger: Tables,
) -> Replacements:
    """One row per exam name: how often it was taken, most popular first.

    Messages and attempts side by side: an attempt that was sent three times counts once or thrice.
    """
    upstream = {"assessments": assessments, "message_ledger": message_ledger}

    def make(frames: Frames) -> DataFrame:
        return count_exams(count_messages(frames["assessments"], frames["message_ledger"]))

    return aggregate_each(context, lake, EXAM_COUNTS, make, upstream)
