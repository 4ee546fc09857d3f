"""`assess docs`: pages rendered from declarations, or the check that they are current.

Belongs here: the command. The pages are tables/docs' and sample/defects' business.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from assess_assets.cli.errors import CommandFailed


class Page(StrEnum):
    """A page, by its name."""

    TABLES = "tables"
    BAD_INPUT = "bad-input"


def docs(
    out: Annotated[
        Path | None, typer.Option("--out", help="The file (default: the page's own in docs/).")
    ] = None,
    page: Annotated[Page, typer.Option("--page", help="Which page.")] = Page.TABLES,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 if it would change.")
    ] = False,
) -> None:
    """Write the page of all tables, or that of bad input.

    The one is made from the tables' contracts, the other from the kinds of bad input.
    """
    if out is None:
        out = Path("docs") / f"{page.replace('-', '_')}.md"
    text = _rendered(page)
    if not check:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8", newline="\n")
        typer.echo(f"Wrote {out}.")
        return
    if not out.is_file() or out.read_bytes() != text.encode():
        which = "" if page is Page.TABLES else f" --page {page}"
        raise CommandFailed(
            f"{out} is not what its declarations say. Run: assess docs{which} --out {out}"
        )
    typer.echo(f"{out} is current.")


def _rendered(page: Page) -> str:
    if page is Page.TABLES:
        from assess_assets.tables.docs import tables_page

        return tables_page()
    from assess_assets.sample.defects.page import bad_input_page

    return bad_input_page()
