"""A Delta table as it is now, or that there is none.

Belongs here: telling a table that was not made from one that this user may not see. deltalake says
of both that there is none. And telling one whose log has lost its beginning.
"""

from typing import Final

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from deltalake.fs import DeltaStorageHandler
from pyarrow.fs import FileSelector, FileType

from assess_assets.storage.damage import damaged, table_faults
from assess_assets.storage.lake_faults import fault_of

_FIRST: Final = f"_delta_log/{0:020}.json"


def open_existing(customer: str, table: str, uri: str) -> DeltaTable | None:
    """The table, or None if it has not been made.

    Raises LakeFault if that can't be seen, and TableDamaged if its log can't be read.
    """
    with table_faults(customer, table, uri):
        try:
            log = DeltaTable(uri)
        except TableNotFoundError as error:
            if fault_of(error, uri):
                raise
            return None
        if not _has_beginning(log):
            told = "the first commits of its log are gone"
            raise damaged(customer, table, uri, told)
    return log


def require_files(customer: str, table: str, uri: str, log: DeltaTable) -> None:
    """Raises TableDamaged if a file of the opened version is gone, or is shorter than it was; or a
    commit has no byte, which deltalake (1.6) reads as one that changed nothing.

    Files are listed, none is read: one that was overwritten at its length is not told.
    """
    with table_faults(customer, table, uri):
        files = pa.table(log.get_add_actions(flatten=True)).select(["path", "size_bytes"])
        sizes = {file["path"]: file["size_bytes"] for file in files.to_pylist()}
        store = DeltaStorageHandler.from_table(log._table)
        commits = store.get_file_info_selector(FileSelector("_delta_log"))
        empty = [one.path for one in commits if one.path.endswith(".json") and not one.size]
        found = store.get_file_info(list(sizes))
        wrong = [one.path for one in found if one.size != sizes[one.path]]
    if empty:
        told = f"{len(empty)} commits of its log have no byte, such as {min(empty)}"
        raise damaged(customer, table, uri, told)
    if wrong:
        told = f"{len(wrong)} of {len(sizes)} files are gone or cut off, such as {wrong[0]}"
        raise damaged(customer, table, uri, told)


def _has_beginning(log: DeltaTable) -> bool:
    """deltalake (1.6) reads a log without its first commits as if they had added no row.

    Those before a checkpoint are needed no more, and Spark removes them after a month.
    """
    files = DeltaStorageHandler.from_table(log._table)  # not another connection
    if files.get_file_info([_FIRST])[0].type is not FileType.NotFound:
        return True
    listed = files.get_file_info_selector(FileSelector("_delta_log"))
    return any(".checkpoint." in file.path for file in listed)
