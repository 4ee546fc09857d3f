"""options: the options of every question of every attempt."""

import dagster as dg

from assess_assets.assets.exploding import explode_each
from assess_assets.assets.specs import customer_asset
from assess_assets.resources.lake import LakeResource
from assess_assets.storage.io_manager import Tables
from assess_assets.storage.lake import Replacements
from assess_assets.tables.detail import OPTIONS
from assess_assets.transforms.options import explode_options


@customer_asset(OPTIONS, deps=["message_ledger"])
def options(
    context: dg.AssetExecutionContext, lake: LakeResource, assessments: Tables
) -> Replacements:
    """One row per option of one question of one attempt.

    Whether it was checked, whether it is correct, and when it was last touched. Only attempts of
    new batches are exploded; a new build explodes all.
    """
    return explode_each(context, lake, OPTIONS, explode_options, assessments)
