"""landing_files: what lies in each customer's landing folder, as an observable source."""

import hashlib

import dagster as dg

from assess_assets.assets.each_customer import customers_of
from assess_assets.assets.specs import OWNERS, customer_source
from assess_assets.resources.lake import LakeResource
from assess_assets.sources.landing_files import list_files


@customer_source(
    name="landing_files",
    group_name="ingest",
    tags={"dagster/kind/file": "", "grain": "customer"},
    metadata={"owner": OWNERS[0]},
)
def landing_files(
    context: dg.AssetExecutionContext, lake: LakeResource
) -> dg.DataVersionsByPartition:
    """One partition per customer: the files delivered to its landing folder.

    The data version changes when a file comes, goes or changes (names, sizes and times).
    """
    versions: dict[str, dg.DataVersion | str] = {}
    for customer in customers_of(context):
        files = list_files(lake.landing_folder(customer)).values()
        told = "\n".join(
            f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files
        )
        versions[customer] = hashlib.sha256(told.encode()).hexdigest()[:16]
    return dg.DataVersionsByPartition(versions)
