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
        Path,
        typer.Option(
            "--out", help="The file to write (- is the output); with --attempts, the folder."
        ),
    ],
    seed: Seed = None,
    messy: Annotated[
        bool, typer.Option("--messy", help="Instead, 50-odd lines with every known defect.")
    ] = False,
    attempts: Annotated[
        int | None, typer.Option("--attempts", min=1, help="Instead, a load of so many messages.")
    ] = None,
    customers: Annotated[
        int | None,
        typer.Option("--customers", min=1, help="How many share the load (default: one)."),
    ] = None,
    defects: Annotated[
        float | None,
        typer.Option(
            "--defects", min=0, max=0.9, help="Which share of the load is odd, up to 0.9."
        ),
    ] = None,
) -> None:
    """Write synthetic messages: clean, messy, or a whole load.

    The sample is 3280 clean messages with the published statistics: the same ones every time.
    A load has messages of 3.3 KB, and truth.ndjson tells what must become of the odd ones; bad
    files come on top of it.
    """
    if attempts is None and (customers is not None or defects is not None):
        raise typer.BadParameter("--customers and --defects are of a load: give --attempts too.")
    if attempts is not None and messy:
        raise typer.BadParameter("Give either --messy or --attempts: they are different data.")
    if attempts is not None:
        _load(out, attempts, customers or 1, defects or 0, seed)
    elif str(out) == "-":
        _to_output(messy, seed)
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        told, customer = _write(out, messy, seed)
        typer.echo(f"Wrote {out}: {told}")
        typer.echo(f"Next: assess land {out} --customer {customer}")


def _to_output(messy: bool, seed: int | None) -> None:
    """The same bytes; what is said about them goes to stderr."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        file = Path(folder) / "sample"
        told, _ = _write(file, messy, seed)
        typer.get_binary_stream("stdout").write(file.read_bytes())
    typer.echo(told, err=True)


def _write(out: Path, messy: bool, seed: int | None) -> tuple[str, str]:
    """What was written, in words, and whose it is in the demo."""
    if messy:
        from assess_assets.sample import messy as delivery

        lines = delivery.write_messy_delivery(out, delivery.DEFAULT_SEED if seed is None else seed)
        fates = Counter(str(line.fate) for line in lines)
        return f"{len(lines)} synthetic messages ({_told(fates)}).", delivery.CUSTOMER
    from assess_assets.sample.sample import DEFAULT_SEED, write_sample

    made = write_sample(out, DEFAULT_SEED if seed is None else seed)
    told = (
        f"{made.messages} synthetic messages of {made.attempts} attempts, "
        f"{made.size_bytes:,} bytes."
    )
    return told, "acme"


def _load(out: Path, attempts: int, customers: int, defects: float, seed: int | None) -> None:
    from assess_assets.sample.load import DEFAULT_SEED, TRUTH, write_load
    from assess_assets.sources.landing_files import is_landing_name

    if str(out) == "-":
        raise typer.BadParameter("A load is a folder of many files: --out - can't hold it.")
    if is_landing_name(out.name):
        raise typer.BadParameter(f"With --attempts a folder is written: {out} names a file.")
    if customers > attempts:
        raise typer.BadParameter(f"{attempts} messages are too few for {customers} customers.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise typer.BadParameter(f"{out} exists. Name a folder that is new or empty.")
    made = write_load(out, attempts, customers, defects, DEFAULT_SEED if seed is None else seed)
    more = made.messages - attempts
    typer.echo(
        f"Wrote {out}: {_number(made.messages, 'synthetic message')} of "
        f"{_number(customers, 'customer')}, {made.size_bytes:,} bytes ({_told(made.fates)}). "
        + (f"{more} of them, in the bad files odd-*, come on top of {attempts}. " if more else "")
        + f"What must become of the odd ones: {out / TRUTH}"
    )
    typer.echo(f"Next: export ASSESS_LANDING={out.resolve()}, then assess customers sync")


def _number(count: int, of_what: str) -> str:
    return f"{count} {of_what}{'' if count == 1 else 's'}"


def _told(fates: Counter[str]) -> str:
    return ", ".join(f"{count} {fate}" for fate, count in sorted(fates.items()))
