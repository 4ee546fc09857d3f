"""The examinations of `assess doctor` that are about the lake: its disk, and rights to its folders.

Belongs here: whether a run could write, and what removals left. What tables hold is the checks'
business.
"""

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assess_assets.cli.finding import Finding, some, unreachable, unusable, unwritable
from assess_assets.cli.source_findings import registered
from assess_assets.sources.landing_customers import landed_folders

if TYPE_CHECKING:
    from assess_assets.settings import Settings
    from assess_assets.storage.layout import LakeLayout

LITTLE_MIB: Final = 100  # a run of a few thousand messages writes some MiB


def lake_findings(layout: "LakeLayout") -> Iterator[Finding]:
    """Whether the lake can be written; if it is on this machine, every table's folder too."""
    root = layout.local_root
    if root is None:
        yield _remote(layout.root)
    elif not os.path.exists(root):  # noqa: PTH110, Path's raises where this user may not look
        yield _to_be_made(layout.root, root)
    else:
        found = _local(layout.root, root)
        yield found
        if found.status != "fail" and (closed := list(_closed_folders(root))):
            told = f"this user can't list and write {some(closed)}"
            yield Finding("fail", "tables", told, "give this user access to that and all below it")


def removal_findings(settings: "Settings", layout: "LakeLayout") -> Iterator[Finding]:
    """Removals of customers that were interrupted."""
    from assess_assets.customer_names import keys_among
    from assess_assets.storage.lake_faults import LakeFault
    from assess_assets.storage.removal import Removal

    removal = Removal.of(layout, settings.webhdfs, settings.hadoop_user)
    try:
        left = removal.leftovers()
        in_lake, _ = keys_among(removal.folders.names_in(layout.root))
        landed, _ = landed_folders(settings.landing)
    except (LakeFault, OSError) as error:
        yield Finding(
            "warn", "removals", str(error), "give this user access, or correct ASSESS_WEBHDFS"
        )
        return
    for customer, folders in left.items():
        told = f"that of customer {customer} was interrupted: {', '.join(folders)}"
        yield Finding("warn", "removals", told, f"assess customers remove {customer}")
    if (known := registered()) and (lost := sorted({*in_lake} - {*landed} - known)):
        told = f"have tables, and neither partition nor landing folder: {', '.join(lost)}"
        yield Finding("warn", "removals", told, "assess customers remove KEY, or add NAME")


def _remote(root: str) -> Finding:
    """Make a file in the lake and remove it, through what writes the Delta logs."""
    from deltalake.fs import DeltaStorageHandler

    from assess_assets.storage.lake_faults import fault_of, first_lines

    silence = unreachable(root)
    if silence:
        return Finding("fail", "lake", silence, "start it, or set ASSESS_LAKE")
    name = f".assess-doctor-{uuid.uuid4().hex}"
    try:
        store = DeltaStorageHandler(root)
        store.open_output_stream(name).close()  # an empty file proves as much
        store.delete_file(name)
    except Exception as error:  # whatever a store says, it is the finding
        found = unusable("lake", root, first_lines(error))
        return found._replace(fix=fault_of(error, root) or found.fix)
    return Finding("ok", "lake", f"{root} can be written")


def _to_be_made(uri: str, root: Path) -> Finding:
    parent = next(folder for folder in root.parents if os.path.exists(folder))  # noqa: PTH110
    reason = unwritable(parent)
    if reason:
        return unusable("lake", str(parent), reason)
    return Finding("ok", "lake", f"{uri} will be made by the first run")


def _local(uri: str, root: Path) -> Finding:
    reason = unwritable(root)
    if reason:
        return unusable("lake", uri, reason)
    free = shutil.disk_usage(root).free // 2**20
    told = f"{uri} can be written, {free:,} MiB are free"
    if free < LITTLE_MIB:
        return Finding("warn", "lake", told, "make room on its disk")
    return Finding("ok", "lake", told)


def _closed_folders(root: Path) -> Iterator[Path]:
    """Folders of customers and their tables where a run would fail, the outermost ones."""
    from assess_assets.storage.layout import PLATFORM_FOLDER
    from assess_assets.tables.registry import TABLES

    for key in (*landed_folders(root)[0], PLATFORM_FOLDER):
        customer = root / key
        if _is_closed(customer):
            yield customer
            continue
        for table in (customer / table.name for table in TABLES):
            closed = (each for each in (table, table / "_delta_log") if _is_closed(each))
            yield from list(closed)[:1]


def _is_closed(folder: Path) -> bool:
    return os.access(folder, os.F_OK) and not os.access(folder, os.R_OK | os.W_OK | os.X_OK)
