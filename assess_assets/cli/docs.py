"""`assess docs`: the tables page, rendered from the contracts, or the check that it is current.

Belongs here: the command. The page is tables/docs' business.
"""

from pathlib import Path
from typing import Annotated

import typer

from assess_assets.cli.errors import CommandFailed

PAGE = Path("docs/tables.md")


def docs(
    out: Annotated[Path, typer.Option("--out", help="The page.")] = PAGE,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 if it would change.")
    ] = False,
) -> None:
    """Write the page of all tables from the contracts."""
    from assess_assets.tables.docs import tables_page

    page = tables_page()
    if not check:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page, encoding="utf-8", newline="\n")
        typer.echo(f"Wrote {out}.")
        return
    if not out.is_file() or out.read_bytes() != page.encode():
        raise CommandFailed(f"{out} is not what the contracts say. Run: assess docs --out {out}")
    typer.echo(f"{out} is current.")
