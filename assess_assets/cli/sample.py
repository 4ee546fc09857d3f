"""`assess sample`: the deterministic sample, the messy delivery, or a load with its truth.

Belongs here: the command. What is in the files is sample/'s business.
"""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

Seed = Annotated[
    int | None, typer.Option("--seed", help="Another sample; the same one for the same seed.")
]


def sample(
    out: Annotated[
        Path, typer.Option("--out", help="The file to write; with --attempts, the folder.")
    ],
    seed: Seed = None,
    messy: Annotated[
        bool, typer.Option("--messy", help="Instead, 50-odd lines with every known defect.")
    ] = False,
    attempts: Annotated[
        int | None, typer.Option("--attempts", min=1, help="Instead, a load of so many messages.")
    ] = None,
    customers: Annotated[
        int, typer.Option("--customers", min=1, help="How many customers share the load.")
    ] = 1,
    defects: Annotated[
        float, typer.Option("--defects", min=0, max=0.9, help="Which share of it is odd.")
    ] = 0,
) -> None:
    """Write the sample, or a messy delivery, to a file; or landing folders full of messages.

    The sample is 3280 clean messages with the published statistics: the same ones every time.
    A load has messages of 3.3 KB, and truth.ndjson tells what must become of the odd ones.
    """
    if attempts is not None:
        _load(out, attempts, customers, defects, seed)
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    if messy:
        from assess_assets.sample import messy as delivery

        lines = delivery.write_messy_delivery(out, delivery.DEFAULT_SEED if seed is None else seed)
        fates = Counter(str(line.fate) for line in lines)
        typer.echo(f"Wrote {out}: {len(lines)} messages ({_told(fates)}).")
        customer = delivery.CUSTOMER
    else:
        from assess_assets.sample.sample import DEFAULT_SEED, write_sample

        made = write_sample(out, DEFAULT_SEED if seed is None else seed)
        typer.echo(
            f"Wrote {out}: {made.messages} messages of {made.attempts} attempts, "
            f"{made.size_bytes:,} bytes."
        )
        customer = "acme"
    typer.echo(f"Next: assess land {out} --customer {customer}")


def _load(out: Path, attempts: int, customers: int, defects: float, seed: int | None) -> None:
    from assess_assets.sample.load import DEFAULT_SEED, TRUTH, write_load

    if customers > attempts:
        raise typer.BadParameter(f"{attempts} messages are too few for {customers} customers.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise typer.BadParameter(f"{out} exists. Name a folder that is new or empty.")
    made = write_load(out, attempts, customers, defects, DEFAULT_SEED if seed is None else seed)
    typer.echo(
        f"Wrote {out}: {made.messages} messages of {customers} customers, {made.size_bytes:,} "
        f"bytes ({_told(made.fates)}). What must become of the odd ones: {out / TRUTH}"
    )
    typer.echo(f"Next: export ASSESS_LANDING={out.resolve()}, then assess customers sync")


def _told(fates: Counter[str]) -> str:
    return ", ".join(f"{count} {fate}" for fate, count in sorted(fates.items()))
