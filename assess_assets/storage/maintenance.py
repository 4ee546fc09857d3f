"""Keeping one table's files few and its folder clean, without changing a row of it.

Belongs here: compacting small files, and removing files that no version within the retention has.
Does not: when it is done, and for whom (`assets/lake_maintenance`).

A compaction is a commit, so it takes part in the rules of writing: it loses to whoever took rows
away since the table was opened, and a run that had pinned the table before is refused by its gate.
Neither changes rows: watermarks and the (build, batch) of aggregates are in rows.
"""

from dataclasses import dataclass
from datetime import timedelta

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from deltalake.fs import DeltaStorageHandler
from pyarrow.fs import FileType, PyFileSystem

from assess_assets.storage.damage import table_faults
from assess_assets.storage.opening import open_existing


@dataclass(frozen=True)
class Upkeep:
    """When to compact, and how long files that the current version doesn't have are kept.

    A reader that opened an earlier version still reads its files, and a writer's files belong to
    no version until it commits: the retention is longer than the longest run.
    """

    max_small_files: int
    target_bytes: int
    retention: timedelta


@dataclass(frozen=True)
class Kept:
    """What was done to a table: nothing, if both versions are the same."""

    table: str
    version_before: int
    version: int
    files_before: int
    files: int
    files_removed: int
    bytes_freed: int
    lost_race: bool


def keep(customer: str, table: str, uri: str, upkeep: Upkeep) -> Kept | None:
    """Compact and vacuum a table; None if there is none. Doing it twice changes nothing more."""
    with table_faults(customer, table, uri):
        opened = open_existing(customer, table, uri)
        return _keep(table, opened, upkeep) if opened else None


def _keep(table: str, opened: DeltaTable, upkeep: Upkeep) -> Kept:
    version, files = opened.version(), len(opened.file_uris())
    lost_race = not compact(opened, upkeep)
    removed = vacuum(DeltaTable(opened.table_uri), upkeep.retention)
    now = DeltaTable(opened.table_uri)
    return Kept(
        table=table,
        version_before=version,
        version=now.version(),
        files_before=files,
        files=len(now.file_uris()),
        files_removed=len(removed),
        bytes_freed=sum(removed),
        lost_race=lost_race,
    )


def small_files(opened: DeltaTable, upkeep: Upkeep) -> int:
    sizes = pa.table(opened.get_add_actions(flatten=True)).column("size_bytes").to_pylist()
    return sum(size < upkeep.target_bytes / 2 for size in sizes)


def compact(opened: DeltaTable, upkeep: Upkeep) -> bool:
    """Merge small files if there are too many; False if a run came first and took some away.

    What a run appended meanwhile stays. Files of half the target and more are not small: else what
    is merged would be merged again.
    """
    if small_files(opened, upkeep) <= upkeep.max_small_files:
        return True
    try:
        opened.optimize.compact(target_size=upkeep.target_bytes)
    except CommitFailedError:
        return False
    return True


def vacuum(opened: DeltaTable, retention: timedelta) -> list[int]:
    """Remove files older than the retention that no version within it has; their sizes.

    `full` also finds files that never belonged to a version: a process died before its commit.
    A file that a version had until lately is kept, however old the file itself is.
    """
    hours = int(retention.total_seconds()) // 3600
    # The caller has a limit of its own, so deltalake's (7 days) is not enforced.
    doomed = opened.vacuum(hours, dry_run=True, enforce_retention_duration=False, full=True)
    if not doomed:
        return []
    # deltalake names removed files again until the log forgets them: each time it would commit.
    files = PyFileSystem(DeltaStorageHandler(opened.table_uri)).get_file_info(doomed)
    sizes = [file.size for file in files if file.type is FileType.File]
    if sizes:
        opened.vacuum(hours, dry_run=False, enforce_retention_duration=False, full=True)
    return sizes
