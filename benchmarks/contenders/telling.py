"""What every contender prints: seconds of work, and the aggregates that must agree.

Belongs here: the form alone. `ATTEMPTS` are the columns of an attempt that aggregates need.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def arguments() -> tuple[Path, Path]:
    """The folder with *.ndjson, and the folder to write to."""
    return Path(sys.argv[1]), Path(sys.argv[2])


def tell(
    seconds: float,
    counts: Mapping[str, int],
    exams: Iterable[Mapping[str, Any]],
    questions: Iterable[Mapping[str, Any]],
) -> None:
    """`exams`: exam_name, attempts, correct, total, average_score, all_correct.

    `questions`: base_exam_id, question_id, shown, answered, wrong. Every contender counts so.
    """
    told = {
        "seconds": seconds,
        "counts": dict(counts),
        "exams": sorted(([*row.values()] for row in map(dict, exams)), key=lambda row: str(row[0])),
        "questions": sorted([*row.values()] for row in map(dict, questions)),
    }
    print(json.dumps(told))
