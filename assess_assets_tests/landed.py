"""Files put into a customer's landing folder as bytes, and claimed ranges of them read back.

Belongs here: what tests of the landing source share. Does not: messages (`deliveries`).
"""

from pathlib import Path

from assess_assets.sources.landing_files import read_range
from assess_assets.sources.ranges import SourceRange

MANY = 1_000_000  # messages: no bound


def land(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def read(folder: Path, ranges: list[SourceRange]) -> list[tuple[str, int, bytes, str | None]]:
    """Source, offset, value and defect of each record."""
    return [
        (claim.source, claim.start_offset + index, record.value, record.defect)
        for claim in ranges
        for index, record in enumerate(read_range(folder, claim))
    ]
