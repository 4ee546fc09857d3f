"""Whether a fact does not hold only because another run of the same customer is writing.

Tables of one run agree; of two runs at once they need not, until both are done. Belongs here:
telling that from damage, when a fact that blocks does not hold. Commits say which run made them.
"""

import json
from collections.abc import Iterable
from typing import NamedTuple

from assess_assets.checks.opening import Opened
from assess_assets.storage.delta import LostRace, Pin


class Write(NamedTuple):
    """The last commit of a table: by which run, and when (milliseconds since 1970)."""

    run_id: str
    at: int


def require_not_overtaken(own: Opened, read: Iterable[Opened], run_id: str) -> None:
    """Raises LostRace if another run wrote a table that is `read` after this one wrote `own`."""
    ours = _last_write(own.pin)
    if ours is None or ours.run_id != run_id:
        return
    for other in read:
        theirs = _last_write(other.pin)
        if theirs is not None and theirs.run_id != run_id and theirs.at >= ours.at:
            raise LostRace(
                f"Customer {own.customer}, table {own.table.name} ({own.uri}) can't be checked: "
                f"run {theirs.run_id} has written {other.table.name} since this run wrote "
                f"{own.table.name}, and the two do not agree now. Run it again when that run has "
                "ended."
            )


def _last_write(pinned: Pin | None) -> Write | None:
    if pinned is None:
        return None
    for commit in pinned.log.history(1):  # none if the last commit's file has been emptied
        run_id = json.loads(commit.get("userMetadata") or "{}").get("run_id")
        return Write(run_id, commit["timestamp"]) if run_id else None
    return None
