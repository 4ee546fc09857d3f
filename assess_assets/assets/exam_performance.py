"""exam_performance: how attempts scored, per exam."""

import dagster as dg
from pyspark.sql import DataFrame

from assess_assets.assets.aggregating import Frames, aggregate_each
from assess_assets.assets.specs import customer_asset
from assess_assets.resources.lake import LakeResource
from assess_assets.storage.io_manager import Tables
from assess_assets.storage.lake import Replacements
from assess_assets.tables.performance import EXAM_PERFORMANCE
from assess_assets.transforms.attempts import count_messages
from assess_assets.transforms.exam_performance import measure_exams


@customer_asset(EXAM_PERFORMANCE)
def exam_performance(
    context: dg.AssetExecutionContext,
    lake: LakeResource,
    assessments: Tables,
    message_ledger: Tables,
) -> Replacements:
    """One row per exam name: how its attempts scored, by the counts they report.

    Averages are over attempts; those by message weigh an attempt by how often it was sent.
    """
    upstream = {"assessments": assessments, "message_ledger": message_ledger}

    def make(frames: Frames) -> DataFrame:
        return measure_exams(count_messages(frames["assessments"], frames["message_ledger"]))

    return aggregate_each(context, lake, EXAM_PERFORMANCE, make, upstream)
