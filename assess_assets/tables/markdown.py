"""A table in Markdown, for the pages that are rendered from declarations.

Belongs here: its lines. Names from data never come here: checks and reports escape those.
"""

from collections.abc import Iterable, Iterator, Sequence


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Its lines, and an empty one. In a cell only the bar is escaped: the rest may be markup."""
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""
