"""landing_files: what lies in each customer's landing folder, as an observable source."""

import dagster as dg

from assess_assets.assets.each_customer import observe_each
from assess_assets.assets.specs import customer_source, observation
from assess_assets.resources.lake import LakeResource
from assess_assets.sources.landing_files import folder_version


@customer_source(
    name="landing_files",
    group_name="ingest",
    tags={"dagster/kind/file": "", "grain": "customer"},
)
def landing_files(
    context: dg.AssetExecutionContext, lake: LakeResource
) -> dg.DataVersionsByPartition:
    """One partition per customer: the files delivered to its landing folder.

    The data version changes when a file comes, goes or changes (names, sizes and times).
    """

    def look(customer: str) -> dg.AssetObservation:
        version = folder_version(lake.landing_folder(customer))
        return observation("landing_files", customer, version)

    return observe_each(context, lake.lake, look)
