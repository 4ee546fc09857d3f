"""`assess sample`: the deterministic sample, or the messy delivery, as a file.

Belongs here: the command. What is in the files is sample/'s business.
"""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer


def sample(
    out: Annotated[Path, typer.Option("--out", help="The file to write.")],
    seed: Annotated[
        int | None, typer.Option("--seed", help="Another sample; the same one for the same seed.")
    ] = None,
    messy: Annotated[
        bool, typer.Option("--messy", help="Instead, 50-odd lines with every known defect.")
    ] = False,
) -> None:
    """Write the sample, or a messy delivery, to a file.

    The sample is 3280 clean messages with the published statistics: the same ones every time.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    if messy:
        from assess_assets.sample import messy as defects

        lines = defects.write_messy_delivery(out, defects.DEFAULT_SEED if seed is None else seed)
        fates = Counter(line.fate for line in lines)
        told = ", ".join(f"{count} {fate}" for fate, count in sorted(fates.items()))
        typer.echo(f"Wrote {out}: {len(lines)} messages ({told}).")
        customer = defects.CUSTOMER
    else:
        from assess_assets.sample.sample import DEFAULT_SEED, write_sample

        made = write_sample(out, DEFAULT_SEED if seed is None else seed)
        typer.echo(
            f"Wrote {out}: {made.messages} messages of {made.attempts} attempts, "
            f"{made.size_bytes:,} bytes."
        )
        customer = "acme"
    typer.echo(f"Next: assess land {out} --customer {customer}")
