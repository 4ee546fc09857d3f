"""The examination of `assess doctor` that is about tables: whether their files are all there.

Belongs here: whose tables are looked at, and for how long. Logs are opened and files are listed, by
no engine; no row is read. What tables hold is the checks' business, and `assess verify`'s.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TYPE_CHECKING, Final

from assess_assets.cli.finding import MOST_TOLD, Finding
from assess_assets.cli.source_findings import registered
from assess_assets.sources.landing_customers import landed_folders

if TYPE_CHECKING:
    from pathlib import Path

    from assess_assets.storage.damage import TableDamaged
    from assess_assets.storage.layout import LakeLayout

SUBJECT: Final = "table files"
SECONDS: Final = 20.0  # about five hundred customers on a local disk


def table_findings(layout: "LakeLayout", landing: "Path") -> Iterator[Finding]:
    """The tables that are damaged, and how each is healed."""
    from assess_assets.storage.layout import PLATFORM_FOLDER

    customers = _customers(layout, landing)
    damaged: list[TableDamaged] = []
    began, tables, left = monotonic(), 0, len(customers)
    for customer in (PLATFORM_FOLDER, *customers):
        if monotonic() - began > SECONDS:
            break
        number, found = _examined(layout, customer)
        tables += number
        left -= customer in customers
        damaged += found
    for error in damaged[:MOST_TOLD]:
        yield Finding("fail", SUBJECT, error.what, error.fix)
    if more := damaged[MOST_TOLD:]:
        names = ", ".join(dict.fromkeys(error.customer for error in more))
        yield Finding(
            "fail", SUBJECT, f"{len(more)} more are damaged, of {names}", "assess customers"
        )
    if left:
        told = f"those of {left} of {len(customers)} customers were not looked at, for want of time"
        yield Finding("warn", SUBJECT, told, "assess customers")
    if not damaged and not left:
        told = f"those of all {tables} tables of {len(customers)} customers are there"
        yield Finding("ok", SUBJECT, told)


def _customers(layout: "LakeLayout", landing: "Path") -> list[str]:
    """Those with a folder in the lake; of a lake that is elsewhere, those that have had a run."""
    from assess_assets.customer_names import keys_among

    if layout.local_root is not None:
        return landed_folders(layout.local_root)[0]
    try:
        landed = landed_folders(landing)[0]
    except OSError:  # told as a finding about landing
        landed = []
    return sorted({*landed, *keys_among(registered())[0]})


def _examined(layout: "LakeLayout", customer: str) -> "tuple[int, list[TableDamaged]]":
    """How many tables there are, and which are damaged. What this user may not see is told so."""
    from assess_assets.storage.damage import TableDamaged
    from assess_assets.storage.lake_faults import LakeFault
    from assess_assets.storage.layout import PLATFORM_FOLDER
    from assess_assets.storage.opening import open_existing, require_files
    from assess_assets.tables.contract import TableContract
    from assess_assets.tables.registry import TABLES

    def examine(table: TableContract) -> bool | TableDamaged:
        uri = layout.uri(table, customer)
        try:
            log = open_existing(customer, table.name, uri)
            if log is not None:
                require_files(customer, table.name, uri, log)
        except TableDamaged as error:
            return error
        except LakeFault:  # rights, or a lake that went away: findings of their own
            return False
        return log is not None

    tables = [table for table in TABLES if table.shared == (customer == PLATFORM_FOLDER)]
    with ThreadPoolExecutor(len(tables)) as pool:
        found = list(pool.map(examine, tables))
    damaged = [one for one in found if isinstance(one, TableDamaged)]
    return sum(map(bool, found)), damaged
