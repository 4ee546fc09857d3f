"""`assess land`: put a file into a customer's landing folder, whole or not at all.

Belongs here: the command. The copying, and what is refused, is sources/landing_delivery's.
"""

from pathlib import Path
from typing import Annotated

import typer

from assess_assets.cli.deployment import deployment, make_dagster_home_for_later, pin_existing
from assess_assets.cli.options import Customer, CustomerName, chosen_customer
from assess_assets.commands import update_command


def land(
    file: Annotated[Path, typer.Argument(help="JSON, one per line or an array; may be gzipped.")],
    customer: Customer = None,
    customer_name: CustomerName = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Its name when landed (default: the file's).")
    ] = None,
) -> None:
    """Deliver a file to a customer. The next run reads it; content that has landed is refused."""
    from assess_assets.sources.landing_delivery import land_file
    from assess_assets.storage.claims import claimed_batches, highest_landed, unread_files
    from assess_assets.tables.ingest import RAW_MESSAGES, SOURCE_RANGES

    key = chosen_customer(customer, customer_name)
    settings, layout = deployment()
    claims = pin_existing(layout, SOURCE_RANGES, key)
    batches = claimed_batches(claims) if claims else []
    landed = land_file(
        file,
        settings.landing.resolve(),
        key,
        name,
        [claim for batch in batches for claim in batch.ranges],
        unread_files(batches, highest_landed(pin_existing(layout, RAW_MESSAGES, key))),
    )
    typer.echo(f"Customer {key}: landed {landed} ({landed.stat().st_size:,} bytes).")
    make_dagster_home_for_later()
    typer.echo(f"Next: assess customers sync, then {update_command(key)}")
