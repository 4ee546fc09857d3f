"""docs/bad_input.md, rendered from the registry of kinds.

Belongs here: the page. Does not: any kind, any fate.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from assess_assets.sample.defects import FILE_KINDS, KINDS, Outcome
from assess_assets.tables.markdown import markdown_table

_HEAD: Final = """# Bad input, and what becomes of it

Written by `assess docs --page bad-input` from `assess_assets/sample/defects`; don't edit it by
hand. `assess_assets_tests/engine/test_bad_input.py` lands a message or file of every kind and holds
the tables to this page; `assess sample --attempts N --defects RATE` draws from the same kinds.

A message that breaks the contract is quarantined with its bytes, the rule, the JSON path, what was
expected and what was found. None stops another message, file or customer. The rules are explained
in [tables.md](tables.md#rules-of-the-message-contract), the fates in [semantics.md](semantics.md).

Three limits are there because an engine would otherwise read null without an error: at most 100
levels of nesting, numbers of at most 300 characters, keys of at most 1,000. They hold for the text
of a message, also for the value of a repeated key that a later one replaces.

Every value of an accepted message is in the tables or in `unmapped`: unknown keys are there by
their JSON path, their numbers with all digits, and so is the whole text of a time that is finer
than microseconds, or of a max_attempts with more digits than a double has.
"""


def bad_input_page() -> str:
    """The page, with a table of messages and one of files."""
    messages = ((f"`{kind.name}`", kind.meaning, *_told([kind.outcome])) for kind in KINDS)
    files = ((f"`{kind.name}`", kind.meaning, *_told(kind.outcomes)) for kind in FILE_KINDS)
    lines = [
        _HEAD,
        f"## {len(KINDS)} kinds of messages\n",
        *markdown_table(("kind", "what it is", "fate", "rule", "JSON path"), messages),
        f"## {len(FILE_KINDS)} kinds of files\n",
        "Fate, rule and path of each of the messages that the file is read as, in their order.\n",
        *markdown_table(("kind", "what it is", "fates", "rules", "JSON paths"), files),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _told(outcomes: Iterable[Outcome]) -> Iterator[str]:
    for cells in zip(*outcomes, strict=True):
        yield ", ".join(f"`{cell}`" if cell else "-" for cell in cells)
