"""`assess rebuild`: make everything below raw_messages again, as a recorded Dagster run.

Belongs here: the command. Running is `running`'s business, equality of rows `comparison`'s.
"""

import uuid
from typing import TYPE_CHECKING, Annotated

import typer

from assess_assets.cli.customers import PARTITIONS
from assess_assets.cli.deployment import dagster_instance, deployment
from assess_assets.cli.errors import CommandFailed
from assess_assets.cli.options import AsJson, Customer, CustomerName, chosen_customer
from assess_assets.cli.output import print_json, print_rows
from assess_assets.commands import update_command

if TYPE_CHECKING:
    import dagster as dg

    from assess_assets.cli.comparison import Tables
    from assess_assets.settings import Settings


def rebuild(
    customer: Customer = None,
    customer_name: CustomerName = None,
    reason: Annotated[
        str, typer.Option("--reason", help="Why; kept in the table builds.")
    ] = "asked for by assess rebuild",
    as_json: AsJson = False,
) -> None:
    """Make a customer's tables again from raw_messages.

    A new build is claimed, and a recorded Dagster run makes everything below raw_messages. Readers
    see a table's old rows until its new ones are whole. Says what has come out different.
    """
    from assess_assets.storage.sandbox import open_tables

    key = chosen_customer(customer, customer_name)
    settings, layout = deployment()
    before = open_tables(layout, key)
    with dagster_instance() as instance:
        if not instance.has_dynamic_partition(PARTITIONS, key):
            raise CommandFailed(
                f"Customer {key} is not registered, so there is no partition to run. Nothing was "
                "claimed. Run: assess customers sync"
            )
        if before["raw_messages"] is None:
            raise CommandFailed(
                f"Customer {key} has no raw_messages in {layout.root}: there is nothing to rebuild "
                "from, and nothing was claimed. Land a file and materialize it first."
            )
        run_id = str(uuid.uuid4())
        build = _claim(settings, key, reason, run_id)
        typer.echo(f"Customer {key}: build {build}, run {run_id}", err=True)
        succeeded = _run(settings, key, instance, run_id)
    if not succeeded:
        raise CommandFailed(
            f"Customer {key}: run {run_id} of build {build} failed; Dagster's UI has its log. "
            "Tables not made again still hold the old build. The next run goes on with it: "
            + update_command(key)
        )
    _tell(key, build, run_id, before, open_tables(layout, key), as_json)


def _tell(
    key: str, build: int, run_id: str, before: "Tables", after: "Tables", as_json: bool
) -> None:
    """What has come out different."""
    from assess_assets.cli.comparison import compare

    differences = compare(before, after)
    if as_json:
        print_json({"customer": key, "build": build, "run_id": run_id, "tables": differences})
        return
    print_rows(
        ["table", "rows before", "rows after", "gone", "new"],
        [tuple(one.values()) for one in differences],
    )
    differing = [one["table"] for one in differences if one["gone"] or one["new"]]
    typer.echo(
        f"Different, build numbers aside: {', '.join(differing)}"
        if differing
        else "Nothing differs but the build's number."
    )


def _claim(settings: "Settings", customer: str, reason: str, run_id: str) -> int:
    from assess_assets.assets.builds import claim_rebuild, running_versions
    from assess_assets.resources.lake import LakeResource
    from assess_assets.resources.spark import SparkEngine

    resource = LakeResource.from_settings(settings, SparkEngine(url=settings.spark))
    versions = running_versions(resource.policies.of(customer))
    return claim_rebuild(resource.lake, customer, versions, reason, run_id)


def _run(settings: "Settings", customer: str, instance: "dg.DagsterInstance", run_id: str) -> bool:
    """Materialize everything below raw_messages, with its checks."""
    import dagster as dg

    from assess_assets.cli.running import run_customer
    from assess_assets.definitions import build_definitions

    below = dg.AssetSelection.assets("raw_messages").downstream(include_self=False)
    graph = build_definitions(settings).resolve_asset_graph()
    assets = sorted(below.resolve(graph))
    return run_customer(settings, instance, customer, run_id, "rebuild", assets).succeeded
