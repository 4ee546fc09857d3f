"""A Delta table as it is now, or that there is none.

Belongs here: telling a table that was not made from one that this user may not see. deltalake says
of both that there is none.
"""

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from assess_assets.storage.damage import table_faults
from assess_assets.storage.lake_faults import fault_of


def open_existing(customer: str, table: str, uri: str) -> DeltaTable | None:
    """The table, or None if it has not been made.

    Raises LakeFault if that can't be seen, and TableDamaged if its log can't be read.
    """
    with table_faults(customer, table, uri):
        try:
            return DeltaTable(uri)
        except TableNotFoundError as error:
            if fault_of(error, uri):
                raise
            return None
