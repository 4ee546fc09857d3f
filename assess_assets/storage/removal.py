"""Taking a customer's folder out of the lake: moved away whole, in one rename, and deleted there.

Belongs here: such folders, on this machine or on HDFS. Does not: who may be removed, and what else
there is of a customer (cli/removal).
"""

import os
import shutil
import uuid
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deltalake.fs import DeltaStorageHandler
from pyarrow.fs import FileSelector

from assess_assets.customer_names import keys_among
from assess_assets.storage.hdfs_folders import OFF, HdfsFolders
from assess_assets.storage.lake_faults import LakeFault
from assess_assets.storage.layout import LakeLayout
from assess_assets.tables.ingest import BUILDS


class Folders(Protocol):
    """Folders by their URIs, of one file system."""

    def names_in(self, folder: str) -> list[str]:
        """Of all that lies in it; none if it isn't there."""

    def measure(self, folder: str) -> tuple[int, int] | None:
        """Its files and their bytes; None if it isn't there. Raises LakeFault if it is, and
        can't be moved from here."""

    def move(self, folder: str, target: str) -> None:
        """In one rename. Target's folder is made if need be, and is the platform's alone."""

    def delete(self, folder: str) -> None:
        """With all that is in it."""


class LocalFolders:
    """On this machine. No symbolic link is followed."""

    def names_in(self, folder: str) -> list[str]:
        path = _path(folder)
        return sorted(each.name for each in path.iterdir()) if path.is_dir() else []

    def measure(self, folder: str) -> tuple[int, int] | None:
        path = _path(folder)
        if not os.path.lexists(path):
            return None
        if path.is_symlink():
            raise LakeFault(
                f"Customer {path.name}: {path} is a symbolic link, and what it leads to may be "
                "another customer's. Nothing was removed. Take the link away, and run the same "
                f"again: rm {path}"
            )
        files = [Path(place, name) for place, _, names in os.walk(path) for name in names]
        return len(files), sum(file.lstat().st_size for file in files)

    def move(self, folder: str, target: str) -> None:
        _path(target).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _path(folder).rename(_path(target))

    def delete(self, folder: str) -> None:
        shutil.rmtree(_path(folder))


class OperatorsFolders:
    """On HDFS without WebHDFS: there to be seen, and the operator's to move and delete."""

    def names_in(self, folder: str) -> list[str]:
        return []

    def measure(self, folder: str) -> tuple[int, int] | None:
        everything = FileSelector("", allow_not_found=True)
        if not DeltaStorageHandler(folder).get_file_info_selector(everything):
            return None
        raise LakeFault(
            f"Customer {folder.rpartition('/')[2]}: without ASSESS_WEBHDFS {folder} is the "
            "operator's to delete. Nothing was removed. When no run of the customer is under way: "
            f"hdfs dfs -mv {folder} {folder}.removed; hdfs dfs -rm -r -skipTrash {folder}.removed; "
            "then run the same again, for the rest."
        )

    def move(self, folder: str, target: str) -> None:
        self.measure(folder)

    def delete(self, folder: str) -> None:
        self.measure(folder)


def _path(folder: str) -> Path:
    return Path(folder.removeprefix("file://"))


@dataclass(frozen=True)
class Removal:
    """A customer's folder on its way out: there, then among `leftovers`, then nowhere."""

    layout: LakeLayout
    folders: Folders

    @classmethod
    def of(cls, layout: LakeLayout, webhdfs: str | None, user: str | None) -> "Removal":
        if layout.local_root:
            return cls(layout, LocalFolders())
        if webhdfs in (None, OFF):
            return cls(layout, OperatorsFolders())
        return cls(layout, HdfsFolders.of(webhdfs, user))

    def folder(self, customer: str) -> str:
        return self.layout.folder(BUILDS, customer)

    def move_away(self, customer: str) -> None:
        """Readers see the customer whole or not at all, and its name is free at once."""
        target = f"{self.layout.removed}/{customer}.{uuid.uuid4().hex}"
        self.folders.move(self.folder(customer), target)

    def leftovers(self) -> dict[str, list[str]]:
        """What was moved away and not yet deleted, by customer. No key has a dot."""
        found = defaultdict(list)
        for name in self.folders.names_in(self.layout.removed):
            found[name.partition(".")[0]].append(f"{self.layout.removed}/{name}")
        keys, _ = keys_among(found)
        return {key: found[key] for key in keys}

    def delete_leftovers(self, customer: str) -> int:
        """How many folders they were."""
        left = self.leftovers().get(customer, [])
        for folder in left:
            self.folders.delete(folder)
        return len(left)
