"""Where a table lies: table and customer to URI. Nothing else builds a path into the lake."""

from dataclasses import dataclass
from pathlib import Path

from assess_assets.customer_names import require_customer_key
from assess_assets.tables.contract import TableContract

# No customer key starts like this: an escape is two hexadecimal digits, and "pl" is not.
PLATFORM_FOLDER = "_platform"


@dataclass(frozen=True)
class LakeLayout:
    """`<root>/<customer>/<table>`, and `<root>/_platform/<table>` for the operator's tables."""

    root: str

    @classmethod
    def of(cls, lake: str) -> "LakeLayout":
        """A folder becomes a file:// URI, so that an engine whose default is HDFS finds it too."""
        if "://" in lake:
            return cls(lake.rstrip("/"))
        return cls(f"file://{Path(lake).expanduser().resolve()}")

    def uri(self, table: TableContract, customer: str) -> str:
        """Raises InvalidCustomerKey for anything that `customer_names` did not make."""
        folder = PLATFORM_FOLDER if table.shared else require_customer_key(customer)
        return f"{self.root}/{folder}/{table.name}"

    @property
    def local_root(self) -> Path | None:
        """The lake's folder, if it is on this machine."""
        if self.root.startswith("file://"):
            return Path(self.root.removeprefix("file://"))
        return None
