"""A customer's folder on HDFS: written by the platform, read by the customer's group, closed else.

Belongs here: making such a folder before its first table, and taking it away with its customer,
over WebHDFS, as an ordinary user. Does not: who is in which group, which is HDFS's business, and
what lies in the folder.
"""

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from assess_assets.storage.lake_faults import LakeFault

MODE: Final = "750"
OFF: Final = "off"  # of ASSESS_WEBHDFS: the operator makes the folders
_SECONDS: Final = 30


class FolderNotProtected(Exception):
    """A customer's folder can't be made, or others may enter it; no table was made there."""


@dataclass(frozen=True)
class HdfsFolders:
    """Folders of the lake that a NameNode holds; `webhdfs` is its http address, `user` is us."""

    webhdfs: str | None
    user: str

    @classmethod
    def of(cls, webhdfs: str | None, user: str | None) -> "HdfsFolders":
        """As settings say; without a user, the system's."""
        return cls(webhdfs, user or getpass.getuser())

    def protect(self, folder: str, customer: str, readers: str | None) -> None:
        """Make the folder (a URI) if it isn't there, and let the group `readers` read it.

        Closed from its first moment on: the mode comes before the group's entry, and that before
        any table. A crash in between is mended by the next call.
        """
        if self.webhdfs == OFF:
            return
        if not self.webhdfs:
            raise FolderNotProtected(
                f"Customer {customer}: {folder} is to get its first tables, and only WebHDFS can "
                "close it to other customers before. Set ASSESS_WEBHDFS to the NameNode's http "
                f"address (http://namenode:9870), or to {OFF!r} if you make and protect customers' "
                "folders yourself."
            )
        path = urlsplit(folder).path
        try:
            found = self._acl(path)
            if found is None:
                self._ask("PUT", path, "MKDIRS", permission=MODE)
                found = self._acl(path)
            if found is None:
                raise OSError("HDFS says neither that it made the folder nor why not")
            self._refuse_if_open(folder, customer, readers, found)
            wanted = [f"{scope}group:{readers}:r-x" for scope in ("", "default:")]
            if readers and not set(wanted) <= set(found["entries"]):
                self._ask("PUT", path, "MODIFYACLENTRIES", aclspec=",".join(wanted))
        except (OSError, HTTPException, ValueError) as error:
            raise FolderNotProtected(
                f"Customer {customer}: {folder} could not be protected as user {self.user!r} over "
                f"{self.webhdfs}, so no table was made there: {_reason(error)}. Mend that and run "
                "it again; see docs/hdfs.md."
            ) from error

    def names_in(self, folder: str) -> list[str]:
        """Of all that lies in it; none if it isn't there."""
        with self._told(folder):
            found = self._look(urlsplit(folder).path, "LISTSTATUS")
        return [one["pathSuffix"] for one in found["FileStatuses"]["FileStatus"]] if found else []

    def measure(self, folder: str) -> tuple[int, int] | None:
        """Its files and their bytes; None if it isn't there."""
        with self._told(folder):
            found = self._look(urlsplit(folder).path, "GETCONTENTSUMMARY")
        summary = found["ContentSummary"] if found else None
        return (summary["fileCount"], summary["length"]) if summary else None

    def move(self, folder: str, target: str) -> None:
        """In one rename. Target's folder is made if need be, and is the platform's alone."""
        path, to = urlsplit(folder).path, PurePosixPath(urlsplit(target).path)
        with self._told(folder):
            self._ask("PUT", str(to.parents[1]), "MKDIRS", permission=MODE)
            self._ask("PUT", str(to.parent), "MKDIRS", permission="700")
            self._require(self._ask("PUT", path, "RENAME", destination=str(to)))

    def delete(self, folder: str) -> None:
        """With all that is in it; no trash keeps it."""
        with self._told(folder):
            path = urlsplit(folder).path
            self._require(self._ask("DELETE", path, "DELETE", recursive="true"))

    @contextmanager
    def _told(self, folder: str) -> Iterator[None]:
        try:
            yield
        except (OSError, HTTPException, ValueError) as error:
            raise LakeFault(
                f"{folder} could not be looked at, moved or deleted as user {self.user!r} over "
                f"{self.webhdfs}: {_reason(error)}. Mend that, and run the same again: it finishes "
                "what was begun."
            ) from error

    def _require(self, answer: dict[str, bool]) -> None:
        """HDFS says no without a reason when a path isn't there, or is there already."""
        if not answer["boolean"]:
            raise OSError("HDFS says no and not why: somebody else has moved or deleted it")

    def _refuse_if_open(
        self, folder: str, customer: str, readers: str | None, found: dict[str, Any]
    ) -> None:
        """What was there before us: others may have nothing, and nobody else may be its owner."""
        if found["owner"] != self.user:
            raise FolderNotProtected(
                f"Customer {customer}: {folder} belongs to {found['owner']!r} and not to this "
                f"user, {self.user!r}. No table was made there. Give it over, and run again: "
                f"hdfs dfs -chown {self.user} {folder}"
            )
        ours = {f"user:{self.user}", f"group:{readers}"}
        strangers = sorted({named for entry in found["entries"] if (named := _named(entry))} - ours)
        if strangers:
            raise FolderNotProtected(
                f"Customer {customer}: the ACL of {folder} also lets in {', '.join(strangers)}. "
                "No table was made there. Take that out, and run again: hdfs dfs -setfacl -R -x "
                + ",".join(f"{each},default:{each}" for each in strangers)
                + f" {folder}"
            )
        if int(found["permission"], 8) & 0o007 or any(
            entry.startswith("default:other::") and not entry.endswith("---")
            for entry in found["entries"]
        ):
            raise FolderNotProtected(
                f"Customer {customer}: everybody may look into {folder} (mode "
                f"{found['permission']}, owner {found['owner']}). No table was made there. Close "
                f"it, and run again: hdfs dfs -chmod -R o-rwx {folder}"
            )

    def _acl(self, path: str) -> dict[str, Any] | None:
        """Owner, mode and entries of a folder; None if there is none."""
        found = self._look(path, "GETACLSTATUS")
        return found["AclStatus"] if found else None

    def _look(self, path: str, operation: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._ask("GET", path, operation)
        except HTTPError as error:
            if error.code == 404:
                return None
            raise
        return found

    def _ask(self, method: str, path: str, operation: str, **options: str) -> Any:
        query = urlencode({"op": operation, "user.name": self.user, **options})
        address = f"{(self.webhdfs or '').rstrip('/')}/webhdfs/v1{path}?{query}"
        # A NameNode is inside: never through a proxy.
        with build_opener(ProxyHandler({})).open(
            Request(address, method=method), timeout=_SECONDS
        ) as answer:
            told = answer.read()
        return json.loads(told) if told else None


def _named(entry: str) -> str | None:
    """Whom an entry of an ACL lets in by name: `user:ann` of `default:user:ann:r-x`."""
    kind, name, rights = entry.removeprefix("default:").split(":")
    return f"{kind}:{name}" if name and rights != "---" else None


def _reason(error: Exception) -> str:
    """What HDFS says; of anything else, the error."""
    if isinstance(error, HTTPError):
        try:
            told = json.loads(error.read())["RemoteException"]
        except (ValueError, KeyError):
            return str(error)
        return f"{told['exception']}: {str(told['message']).splitlines()[0]}"
    return str(error)
