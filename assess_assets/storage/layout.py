"""Where a table lies: table and customer to URI. Nothing else builds a path into the lake."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assess_assets.customer_names import require_customer_key
from assess_assets.tables.contract import TableContract

# No customer key starts like this: an escape is two hexadecimal digits, and "pl" is not.
PLATFORM_FOLDER = "_platform"

# Sail 0.7.2 percent-encodes a path twice: it writes `a b` as `a%20b`, where nobody looks for it.
_SAFE_PATH: Final = re.compile(r"[A-Za-z0-9._~/-]*")
_SAFE_URI: Final = re.compile(r"([a-z][a-z0-9+.-]*://[A-Za-z0-9._~-]+(?::[0-9]+)?)(?:/|$)")
_LOCAL_URI: Final = re.compile(r"file://(?:localhost)?(?=/)")


@dataclass(frozen=True)
class LakeLayout:
    """`<root>/<customer>/<table>`, and `<root>/_platform/<table>` for the operator's tables."""

    root: str

    @classmethod
    def of(cls, lake: str) -> "LakeLayout":
        """A folder becomes a file:// URI, so that an engine whose default is HDFS finds it too.

        Raises ValueError for a path with characters that engines do not agree about, for a URI
        without a host, and for the root of a file system.
        """
        path = _LOCAL_URI.sub("", lake)
        if "://" not in path:
            root = str(Path(path).expanduser().resolve())
            _refuse_unsafe(lake, root)
            _refuse_root(lake, root)
            return cls(f"file://{root}")
        uri = _SAFE_URI.match(lake)
        if uri is None or lake.startswith("file:"):
            raise ValueError(
                f"The lake {lake!a} is not a URI of the form hdfs://host:port/folder. "
                "Set ASSESS_LAKE to such a URI, or to a local folder."
            )
        folders = [name for name in lake[uri.end() :].split("/") if name]
        _refuse_unsafe(lake, "/".join(folders))
        return cls("/".join([uri[1], *folders]))

    def uri(self, table: TableContract, customer: str) -> str:
        """Raises InvalidCustomerKey for anything that `customer_names` did not make."""
        return f"{self.folder(table, customer)}/{table.name}"

    def folder(self, table: TableContract, customer: str) -> str:
        """Where a customer's tables lie, or those that are shared by all."""
        folder = PLATFORM_FOLDER if table.shared else require_customer_key(customer)
        return f"{self.root}/{folder}"

    @property
    def removed(self) -> str:
        """Where the folders of customers lie that are being deleted."""
        return f"{self.root}/{PLATFORM_FOLDER}/removed"

    @property
    def local_root(self) -> Path | None:
        """The lake's folder, if it is on this machine."""
        if self.root.startswith("file://"):
            return Path(self.root.removeprefix("file://"))
        return None


def _refuse_root(lake: str, root: str) -> None:
    if root == "/":
        raise ValueError(
            f"The lake {lake!a} is the root of the file system. Set ASSESS_LAKE to a folder."
        )


def _refuse_unsafe(lake: str, path: str) -> None:
    safe = _SAFE_PATH.match(path)
    end = safe.end() if safe else 0
    if end < len(path):
        raise ValueError(
            f"The lake {lake!a} can't be used: its path has the character {path[end]!a}, "
            "and engines write such a path under another name. Set ASSESS_LAKE to one of only "
            "A-Z a-z 0-9 . _ ~ / and -."
        )
