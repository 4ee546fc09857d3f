"""`assess history`: what was read and made, in which batches, builds and versions.

Belongs here: the command. It reads Delta logs and small columns; no engine is started.
"""

from typing import TYPE_CHECKING, Any

import typer

from assess_assets.cli.deployment import deployment, pin_existing
from assess_assets.cli.errors import CommandFailed
from assess_assets.cli.options import AsJson, Customer, CustomerName, chosen_customer
from assess_assets.cli.output import print_json, print_rows
from assess_assets.commands import first_update_command

if TYPE_CHECKING:
    from assess_assets.storage.delta import Pin
    from assess_assets.storage.layout import LakeLayout

Row = dict[str, Any]


def history(
    customer: Customer = None, customer_name: CustomerName = None, as_json: AsJson = False
) -> None:
    """Show a customer's batches, builds and versions. No engine is started."""
    key = chosen_customer(customer, customer_name)
    _, layout = deployment()
    told = history_of(layout, key)
    if as_json:
        print_json(told)
        return
    typer.echo(f"Customer {key}: batches and their ranges, builds, tables\n")
    ranges = [(batch, claim) for batch in told["batches"] for claim in batch["ranges"]]
    print_rows(
        [
            *("batch", "source", "part.", "offsets", "messages", "kind", "identity"),
            *("claimed at", "run", "note"),
        ],
        [
            (
                batch["batch"],
                claim["source"],
                claim["partition"],
                f"{claim['start_offset']} to {claim['end_offset']}",
                claim["messages"],
                claim["kind"],
                claim["identity"][:12],
                batch["claimed_at"],
                batch["run_id"],
                claim["note"],
            )
            for batch, claim in ranges
        ],
    )
    typer.echo()
    # The policy's content is in --json: too much for a line.
    columns = ("build", "reason", "contract_version", "policy_version", "code_version")
    print_rows(
        ["build", "reason", "contract", "policy", "code", "claimed at", "run"],
        [
            tuple(build[name] for name in (*columns, "claimed_at", "run_id"))
            for build in told["builds"]
        ],
    )
    typer.echo()
    print_rows(
        ["table", "version", "rows", "bytes", "build", "batch"],
        [tuple(table.values()) for table in told["tables"]],
    )


def history_of(layout: "LakeLayout", customer: str) -> Row:
    """Everything the command shows, complete. A table that was never made has nulls."""
    from assess_assets.storage.claims import highest_landed
    from assess_assets.tables.ingest import BUILDS, RAW_MESSAGES, SOURCE_RANGES
    from assess_assets.tables.registry import CUSTOMER_TABLES

    pins = {table.name: pin_existing(layout, table, customer) for table in CUSTOMER_TABLES}
    if not any(pins.values()):
        raise CommandFailed(
            f"Customer {customer} has no tables in {layout.root}, so nothing has happened yet. "
            f"`assess customers` lists who has. Next: {first_update_command(customer)}"
        )
    return {
        "customer": customer,
        "batches": _batches(pins[SOURCE_RANGES.name], highest_landed(pins[RAW_MESSAGES.name])),
        "builds": _rows(pins[BUILDS.name]),
        "tables": [{"table": name, **_state(one)} for name, one in pins.items()],
    }


def _batches(claims: "Pin | None", highest: int) -> list[Row]:
    """`messages` of a range is null for what has been claimed and not landed yet."""
    from assess_assets.storage.claims import claim_rows

    of_batch = ("batch", "claimed_at", "run_id")
    batches: dict[int, Row] = {}
    for row in claim_rows(claims) if claims else []:
        batch = batches.setdefault(
            row["batch"], {**{name: row[name] for name in of_batch}, "messages": 0, "ranges": []}
        )
        claim = {name: row[name] for name in row if name not in of_batch}
        if row["kind"] == "read" and row["size_bytes"] is not None:
            # Of a file as many as were claimed; tables that older code made don't say it. Or none,
            # if it was given up before it had landed.
            known, offsets = row["messages"], row["end_offset"] - row["start_offset"]
            is_settled = row["batch"] <= highest or known == 0
            claim["messages"] = (offsets if known is None else known) if is_settled else None
        batch["ranges"].append(claim)
        batch["messages"] += claim["messages"] or 0
    return list(batches.values())


def _rows(pinned: "Pin | None") -> list[Row]:
    if pinned is None:
        return []
    columns = ", ".join(f'"{name}"' for name in pinned.table.column_names)
    order = ", ".join(f'"{name}"' for name in pinned.table.order)
    return pinned.look_up(f"select {columns} from pinned order by {order}")


def _state(pinned: "Pin | None") -> Row:
    """Version, size, and the (build, batch) that the table's rows are at."""
    from assess_assets.storage.delta import committed

    if pinned is None:
        return dict.fromkeys(("version", "rows", "size_bytes", "build", "batch"))
    commit = committed(pinned)
    highest = ", ".join(
        f"max({name}) as {name}" if name in pinned.table.column_names else f"null as {name}"
        for name in ("build", "batch")
    )
    return {
        "version": commit.version,
        "rows": commit.rows,
        "size_bytes": commit.size_bytes,
        **pinned.look_up(f"select {highest} from pinned")[0],
    }
