"""Every known kind of bad or odd input, each with the fate, rule and JSON path it must get.

Belongs here: the registry. `assess sample --defects` draws from it, the tests hold the pipeline to
it, and docs/bad_input.md is rendered from it. Does not: what the pipeline does (`messages`).
"""

from assess_assets.sample.defects import files, optional, repetition, spelling, structure, values
from assess_assets.sample.defects.files import FileKind
from assess_assets.sample.defects.kinds import Fate, Kind, Outcome

KINDS: tuple[Kind, ...] = (
    *spelling.KINDS,
    *structure.KINDS,
    *values.KINDS,
    *optional.KINDS,
    *repetition.KINDS,
)
FILE_KINDS: tuple[FileKind, ...] = tuple(files.KINDS)
ALL_KINDS: tuple[Kind | FileKind, ...] = (*KINDS, *FILE_KINDS)

__all__ = ["ALL_KINDS", "FILE_KINDS", "KINDS", "Fate", "FileKind", "Kind", "Outcome"]
