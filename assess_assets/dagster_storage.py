"""Dagster's own SQLite storage, with a database kept open: `storage` of `cli/dagster.yaml`.

A workaround, quarantined. Dagster 1.13.27 makes an engine for every event, compiles its statements
anew, opens the database, waits for the disk, and copies the log back as it closes: more than half
of a small customer's run. Here the files are the same, so either class reads what the other wrote.
`test_dagster_still_opens_its_database_for_every_event` fails when upstream doesn't any more.
With PostgreSQL as storage, as in `deploy/`, none of this is used.
"""

import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import (
    DagsterSqliteStorage,
    SqliteStorageConfig,
    _event_logs_directory,
)
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, StaticPool, create_engine, event

# The one of all runs, and a few runs: a web server may read any number of them.
MOST_OPEN: Final = 8


class QuickSqliteStorage(DagsterSqliteStorage):
    """Runs and schedules as ever; events by `QuickEventLog`. `base_dir` is DAGSTER_HOME."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None):
        super().__init__(base_dir, inst_data)
        self._event_log_storage = QuickEventLog(_event_logs_directory(base_dir))

    @classmethod
    def from_config_value(  # type: ignore[override]  # as Dagster's own
        cls, inst_data: ConfigurableClassData, config_value: SqliteStorageConfig
    ) -> "QuickSqliteStorage":
        return cls.from_local(inst_data=inst_data, **config_value)


class QuickEventLog(SqliteEventLogStorage):
    """One connection for each database, used by one thread at a time, as the lock of old has it.

    Commits don't wait for the disk (`synchronous=normal`): a power cut may lose the last events,
    and can't damage a database in WAL mode. No table of the lake depends on Dagster's events.
    """

    def __init__(self, base_dir: str) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._tables: set[str] = set()
        super().__init__(base_dir)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock, self._engine(shard).begin() as connection:
            yield connection

    def _engine(self, shard: str) -> Engine:
        if shard not in self._engines:
            engine = create_engine(
                self.conn_string_for_shard(shard),
                poolclass=StaticPool,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
            )
            event.listen(engine, "connect", _do_not_wait)
            self._initdb(engine)
            self._engines[shard] = engine
            if len(self._engines) > MOST_OPEN:
                self._engines.popitem(last=False)[1].dispose()
        self._engines.move_to_end(shard)
        return self._engines[shard]

    def store_event(self, event: EventLogEntry) -> None:
        super().store_event(event)
        # Who watches a run (the UI's page of it) waits for a change of this file, and with the
        # database open only its log changes.
        with suppress(FileNotFoundError):
            os.utime(self.path_for_shard(event.run_id))

    def has_table(self, table_name: str) -> bool:
        """Asked again and again; a table that is there does not go."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def wipe(self) -> None:
        self._close()
        super().wipe()

    def dispose(self) -> None:
        self._close()
        super().dispose()

    def _close(self) -> None:
        with self._db_lock:
            for engine in self._engines.values():
                engine.dispose()
            self._engines.clear()


def _do_not_wait(connection: Any, _: object) -> None:
    connection.execute("pragma synchronous=normal")
