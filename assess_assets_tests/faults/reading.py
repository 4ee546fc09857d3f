"""A reader that polls all tables while others write, kill and are killed.

It remembers what it saw of each version, so that it can be compared with what the version is.
"""

import time
from collections.abc import Callable, Mapping
from threading import Event, Thread
from types import TracebackType
from typing import Self

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from assess_assets_tests.faults.watching import WATCHED, digest, rows_at

EVERY_SECONDS = 0.02


class Reader:
    """Reads in a thread from entering to leaving; `torn` are reads that failed."""

    def __init__(self, uri: Callable[[str], str]) -> None:
        self._uri = uri
        self._leave = Event()
        self._thread = Thread(target=self._poll, daemon=True)
        self.seen: dict[tuple[str, int], int] = {}
        self.torn: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave.set()
        self._thread.join()

    def differing(self, true: Mapping[tuple[str, int], int]) -> list[tuple[str, int]]:
        """Versions that looked other than they are."""
        return [version for version, rows in self.seen.items() if true.get(version) != rows]

    def _poll(self) -> None:
        while not self._leave.is_set():
            for name in WATCHED:
                try:
                    self._read(name)
                except TableNotFoundError:
                    continue  # not made yet
                except Exception as error:
                    self.torn.append(f"{name}: {error}")
            time.sleep(EVERY_SECONDS)

    def _read(self, name: str) -> None:
        version = DeltaTable(self._uri(name)).version()
        if (name, version) not in self.seen:
            self.seen[name, version] = digest(rows_at(self._uri(name), version))
