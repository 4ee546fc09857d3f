"""A table that can't be read, as files of it are gone, cut off or not what they were.

Belongs here: telling that by the texts of those who read it, and what heals which table. Does not:
what a file system refuses (`lake_faults`), and rows that are wrong, which are the checks' business.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from assess_assets.commands import update_command
from assess_assets.storage.lake_faults import LakeFault, first_lines, lake_faults
from assess_assets.storage.layout import LakeLayout
from assess_assets.tables.ingest import RAW_MESSAGES, SOURCE_RANGES
from assess_assets.tables.registry import TABLES, table_named


class TableDamaged(LakeFault):
    """Files of a table are not as they were written. Nothing was made from it.

    `fix` is what heals it, whatever was found (`what`).
    """

    def __init__(self, what: str, fix: str = "", customer: str = "") -> None:
        super().__init__(f"{what} {fix}".rstrip())
        self.what = what
        self.fix = fix
        self.customer = customer


# By deltalake, Sail, pyarrow and Spark. A commit that is missing may also be one under way.
_SIGNS: Final = re.compile(
    r"Parquet error|[mM]agic (bytes|number)|deserialize thrift|is not a Parquet file|"
    r"\.parquet\b[^;\n]* (not found|does not exist)|"
    r"Kernel error: (Json error|Arrow error|Internal error CRC|Invalid Checkpoint)|"
    r"Expected contiguous commit files|No table metadata or protocol found|"
    r"Invalid JSON in log record|Wanted range starting at \d+, but object was only"
)
_STRUCTS: Final = re.compile(r": ParsedLogPath \{.*")  # how Rust prints them, a thousand signs
_NAMES: Final = "|".join(table.name for table in TABLES)
_TABLE: Final = re.compile(rf"registered as '({_NAMES})'|/({_NAMES})/[^/\s]*\.parquet")


@contextmanager
def damage_told(customer: str, root: str, table: str | None = None) -> Iterator[None]:
    """Raises TableDamaged, naming the table that the error names, or else `table`.

    `root` is the lake's. All else passes as it is.
    """
    try:
        yield
    except LakeFault:
        raise
    except Exception as error:
        named = _TABLE.search(str(error))
        which = (named[1] or named[2]) if named else table
        if which is None or not _SIGNS.search(str(error)):
            raise
        uri = LakeLayout(root).uri(table_named(which), customer)
        raise damaged(customer, which, uri, str(error)) from error


def damaged(customer: str, table: str, uri: str, told: str) -> TableDamaged:
    """The error, which says what heals the table; `told` is what was found."""
    return TableDamaged(
        f"Customer {customer}, table {table} ({uri}): its files are damaged or not all there "
        f"({first_lines(_STRUCTS.sub('', told))}).",
        _cure(table, customer, uri, told),
        customer,
    )


@contextmanager
def table_faults(customer: str, table: str, uri: str) -> Iterator[None]:
    """`lake_faults` and `damage_told`, of one table."""
    root = uri.rsplit("/", 2)[0]
    with damage_told(customer, root, table), lake_faults(customer, table, uri):
        yield


def _cure(table: str, customer: str, uri: str, told: str) -> str:
    """What is moved away can be looked at, and put back."""
    if "_last_checkpoint hint" in told:
        return (
            f"Remove {uri}/_delta_log/_last_checkpoint, which names a file that is gone: without "
            "it the table is read from what is there."
        )
    if table_named(table).shared:
        again = update_command("KEY")
        return f"Move its folder out of the lake: each customer's row is made again by {again}"
    again = update_command(customer)
    if table == SOURCE_RANGES.name:
        return (
            "It is made from nothing else, so restore its folder from a backup. Without one, and "
            "if the sources still have every message, move the customer's whole folder "
            f"({uri.removesuffix('/' + table)}) out of the lake: everything is read anew by {again}"
        )
    if table == RAW_MESSAGES.name:
        return (
            "Restore its folder from a backup. Without one, move its folder out of the lake: what "
            f"was claimed is landed again, as far as its sources still have it, by {again}"
        )
    return f"Move its folder out of the lake: the table is made again by {again}"
