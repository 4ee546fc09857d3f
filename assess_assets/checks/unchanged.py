"""Rows that an earlier look found sound and that lie in the same files still: not looked at again.

A file of a Delta table never changes. So a check notes with its good result what the files were:
as long as its tables have those and no others, it need not ask again. One that compares the rows of
a batch with nothing but that batch's rows (`Suspicion.within_batches`) notes how far it came, too,
and the next look begins behind that batch. Whatever is done to old rows (deleted, compacted, built
anew) makes other files, and everything is looked at.
Belongs here: such notes. Dagster keeps them (its storage is asked, as it has no public function
for a partition's last result), and without them nothing is spared.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import dagster as dg
import pyarrow as pa
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from pyspark.sql import DataFrame

from assess_assets.checks.facts import Fact
from assess_assets.checks.suspicions import LOOK_FOR
from assess_assets.storage.delta import Pin

NOTE = "looked_at"  # the name of a note among a result's metadata
_HIGHEST = "max.batch"


class Note(NamedTuple):
    """All rows up to `batch` were looked at; `files` is a digest of what they were looked at in."""

    batch: int
    files: str


Notes = Callable[[str], Note | None]  # of a check, by its name
Files = Mapping[str, list[dict[str, Any]]]  # `files_of` each table, by its name


def nothing_noted(check: str) -> None:
    """Look at everything."""


@dataclass(frozen=True)
class Unseen:
    """What a look has still to see: rows of later batches than `after`, so many of each table.

    Nothing, if it compares rows of all batches: its tables are as they were.
    """

    after: int
    rows: Mapping[str, int]

    @property
    def is_nothing(self) -> bool:
        return not any(self.rows.values())

    def of(self, frames: Mapping[str, DataFrame]) -> dict[str, DataFrame]:
        later = f"batch > {self.after}"
        return {
            name: frame.where(later) if name in self.rows else frame
            for name, frame in frames.items()
        }


class _Look(NamedTuple):
    """What a fact is found by; `by_batch`: rows of other batches do not meet in it."""

    query: str
    tables: tuple[str, ...]
    by_batch: bool


def unseen_of(facts: Iterable[Fact], noted: Notes, files: Files) -> dict[str, Unseen]:
    """By fact; those without a note, or with one of other files, are not among them."""
    found = {}
    for fact in facts:
        look = _look_for(fact, files)
        if (note := noted(fact.name)) and note == _note_of(look, files, note.batch):
            rest = {
                name: sum(one["num_records"] or 0 for one in files[name] if _is_later(one, note))
                for name in look.tables
                if look.by_batch
            }
            found[fact.name] = Unseen(note.batch, rest)
    return found


def note_of(fact: Fact, files: Files) -> Note | None:
    """What to note of a fact that holds in the tables of these files."""
    look = _look_for(fact, files)
    highest = [file[_HIGHEST] for file in files[look.tables[0]]]
    if look.by_batch and None in highest:
        return None
    return _note_of(look, files, max((one for one in highest if one is not None), default=0))


def _look_for(fact: Fact, files: Files) -> _Look:
    """The fact's own query also where its suspicion reads more than the checks which are asked."""
    look = LOOK_FOR.get(fact.name)
    if look and files.keys() >= set(look.within_batches):
        return _Look(look.query, look.within_batches, by_batch=True)
    return _Look(fact.query, fact.tables, by_batch=False)


def _note_of(look: _Look, files: Files, batch: int) -> Note:
    digest = hashlib.sha256(look.query.encode())
    for name in look.tables:
        looked_at = (
            repr(one)
            for one in files[name]
            if not look.by_batch or one[_HIGHEST] is None or one[_HIGHEST] <= batch
        )
        digest.update(repr((name, sorted(looked_at))).encode())
    return Note(batch, digest.hexdigest())


def _is_later(file: Mapping[str, Any], note: Note) -> bool:
    """Whether it may hold a row of a later batch."""
    return file[_HIGHEST] is None or file[_HIGHEST] > note.batch


def files_of(pinned: Pin) -> list[dict[str, Any]]:
    """Name, size, rows and time of each file of the pinned version, and its highest batch."""
    actions = pa.table(pinned.log.get_add_actions(flatten=True))
    known = [name for name in actions.column_names if name == _HIGHEST or "." not in name]
    files: list[dict[str, Any]] = actions.select(known).to_pylist()
    return [{_HIGHEST: None, **file} for file in files]


def notes_in(instance: dg.DagsterInstance, table: str, customer: str) -> Notes:
    """The notes of the checks' last good results for a customer."""

    def noted(check: str) -> Note | None:
        records = instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(dg.AssetKey(table), check),
            limit=1,
            status={AssetCheckExecutionRecordStatus.SUCCEEDED},
            partition_filter=PartitionKeyFilter(key=customer),
        )
        event = records[0].event if records else None
        evaluation = event.asset_check_evaluation if event else None
        note = evaluation.metadata.get(NOTE) if evaluation else None
        value = note.value if isinstance(note, dg.JsonMetadataValue) else None
        return Note(**value) if isinstance(value, dict) else None

    return noted


def as_metadata(note: Note | None) -> dict[str, Any]:
    return {NOTE: dg.MetadataValue.json(note._asdict())} if note else {}
