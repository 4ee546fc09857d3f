"""Every version of every table of one customer, compared with the oracle as it appears.

Belongs here: what must hold of each version, between versions, and across tables. What the right
rows are is the oracle's business.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import TableNotFoundError

from assess_assets_tests.faults.fates import Arrived, Logs, arrived
from assess_assets_tests.faults.oracle import AGGREGATES, COMPARED, Row, Truth, missing_and_repeated

CLAIMS = ("source_ranges", "builds")
PARSED = ("assessments", "quarantined_messages", "conflicting_assessments", "message_ledger")
EXPLODED = ("questions", "options")
WATCHED = (*CLAIMS, *COMPARED)
Pair = tuple[int, int]  # build and batch


class Violation(AssertionError):
    """A version of a table that must never be."""


@dataclass
class Seen:
    """The last version of a table that was looked at."""

    version: int = -1
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def pair(self) -> Pair:
        """The highest build and batch of the rows; zeros for an empty table."""
        return max(
            ((row.get("build", 0), row.get("batch", 0)) for row in self.rows), default=(0, 0)
        )


class Watch:
    """One customer's tables. `look` at any time; `require_complete` after an undisturbed run.

    `logs` hold what was delivered, kept up by whoever delivers it; `test_exam_ids` says what each
    policy version calls test data.
    """

    def __init__(
        self,
        uri: Callable[[str], str],
        logs: Logs,
        test_exam_ids: Callable[[int], frozenset[str]],
    ) -> None:
        self._uri = uri
        self._logs = logs
        self._test_exam_ids = test_exam_ids
        self._seen = {name: Seen() for name in WATCHED}
        self.versions = 0  # compared so far
        self.digests: dict[tuple[str, int], int] = {}

    def look(self) -> None:
        """Compare every version that is new. Raises Violation."""
        for name in WATCHED:
            for version, rows in self._new_versions(name):
                self._require_version(name, version, rows)
                self._seen[name] = Seen(version, rows)
                self.digests[name, version] = digest(rows)
                self.versions += 1
        self._require_between_tables()

    def require_complete(self) -> None:
        """Nothing lost, nothing repeated: every landed message is where it belongs."""
        self.look()
        lost, repeated = self.lost_and_repeated()
        self._require(not lost, f"{lost} rows are lost")
        self._require(not repeated, f"{repeated} rows are there that should not be")

    def lost_and_repeated(self) -> tuple[int, int]:
        """Over all tables, against one rebuild of everything that has landed."""
        lost, repeated = missing_and_repeated(self._readable(), self._claimed())
        truth = self._truth(self._latest_build(), None)
        for name in COMPARED:
            missing, surplus = missing_and_repeated(truth.rows(name), self._compared(name))
            lost, repeated = lost + missing, repeated + surplus
        return lost, repeated

    def _new_versions(self, name: str) -> Iterable[tuple[int, list[dict[str, Any]]]]:
        try:
            last = DeltaTable(self._uri(name)).version()
        except TableNotFoundError:
            return
        self._require(last >= self._seen[name].version, f"{name} went back to version {last}")
        for version in range(self._seen[name].version + 1, last + 1):
            yield version, rows_at(self._uri(name), version)

    def _require_version(self, name: str, version: int, rows: list[dict[str, Any]]) -> None:
        before, now = self._seen[name], Seen(version, rows)
        where = f"{name} version {version}"
        if name in CLAIMS:
            self._require_extended(where, before.rows, rows)
            return
        went_back = f"{where} went back from (build, batch) {before.pair} to {now.pair}"
        self._require(now.pair >= before.pair, went_back)
        builds = {row["build"] for row in rows if "build" in row}
        self._require(len(builds) <= 1, f"{where} mixes builds {sorted(builds)}")
        if name in AGGREGATES:
            batches = {row["batch"] for row in rows}
            self._require(len(batches) <= 1, f"{where} mixes batches {sorted(batches)}")
        build, batch = now.pair
        expected = self._truth(build, batch).rows(name)
        found = [tuple(row[column] for column in COMPARED[name]) for row in rows]
        lost, repeated = missing_and_repeated(expected, found)
        told = f"{where}, (build, batch) {now.pair}: {lost} rows missing, {repeated} too many"
        self._require(not lost and not repeated, told)

    def _require_extended(
        self, where: str, before: list[dict[str, Any]], now: list[dict[str, Any]]
    ) -> None:
        lost, _ = missing_and_repeated(map(_claimed, before), map(_claimed, now))
        self._require(not lost, f"{where}: {lost} claims were changed or taken away")
        known = [row for row in before if row.get("messages") is not None]
        changed, _ = missing_and_repeated(map(_frozen, known), map(_frozen, now))
        self._require(not changed, f"{where}: messages of {changed} claims were counted anew")
        number = "batch" if "batch" in (now or [{}])[0] else "build"
        numbers = {row[number] for row in now}
        told = f"{where}: {number} numbers {sorted(numbers)}"
        self._require(numbers == set(range(1, len(numbers) + 1)), told)
        if number == "build":
            self._require(len(now) == len(numbers), f"{where}: a build was claimed twice")
        else:
            read = [
                (row["source"], row["partition"], offset) for row in now for offset in _offsets(row)
            ]
            self._require(len(read) == len(set(read)), f"{where}: offsets were claimed twice")
            many = [row for row in now if (row["messages"] or 0) > len(_offsets(row))]
            self._require(not many, f"{where}: {len(many)} claims have more messages than offsets")

    def _require_between_tables(self) -> None:
        """No table is behind what the ledger promises, and none ahead of what it is made from."""
        build, batch = self._seen["message_ledger"].pair
        truth = self._truth(build, batch)
        for name in PARSED:
            if self._seen[name].pair[0] == build:
                lost, _ = missing_and_repeated(truth.rows(name), self._compared(name))
                self._require(not lost, f"the ledger is at {build, batch}: {name} lacks {lost}")
        for name in (*EXPLODED, *AGGREGATES):
            pair = self._seen[name].pair
            self._require(pair <= (build, batch), f"{name} is at {pair}, the ledger {build, batch}")
        landed, claimed = self._seen["raw_messages"].pair[1], self._seen["source_ranges"].pair[1]
        self._require(batch <= landed <= claimed, f"ledger {batch}, raw {landed}, claims {claimed}")

    def _truth(self, build: int, upto: int | None) -> Truth:
        messages = arrived(self._logs, self._seen["source_ranges"].rows)
        known = [one for one in messages if upto is None or one.batch <= upto]
        return Truth(known, build, self._test_exam_ids(self._policy_of(build)))

    def _policy_of(self, build: int) -> int:
        made = {row["build"]: row["policy_version"] for row in self._seen["builds"].rows}
        self._require(build in made or not build, f"rows of build {build}, which nobody claimed")
        return int(made.get(build, 0))

    def _latest_build(self) -> int:
        return max((row["build"] for row in self._seen["builds"].rows), default=0)

    def _readable(self) -> list[Row]:
        """Every message delivered, but of two files with the same content only the first's."""
        refused = {
            (row["source"], row["partition"])
            for row in self._seen["source_ranges"].rows
            if row["kind"] == "refused"
        }
        read = [tuple(lines) for source, lines in self._logs.items() if source not in refused]
        for source in refused:
            same = tuple(self._logs[source]) in read
            self._require(same, f"{source} was refused, and nothing like it was read")
        return [
            (*source, offset)
            for source, lines in self._logs.items()
            if source not in refused
            for offset in range(len(lines))
        ]

    def _claimed(self) -> list[Row]:
        messages: list[Arrived] = arrived(self._logs, self._seen["source_ranges"].rows)
        return [(message.source, message.partition, message.offset) for message in messages]

    def _compared(self, name: str) -> list[Row]:
        return [tuple(row[c] for c in COMPARED[name]) for row in self._seen[name].rows]

    def _require(self, holds: object, told: str) -> None:
        if not holds:
            raise Violation(told)


def rows_at(uri: str, version: int) -> list[dict[str, Any]]:
    """All rows of one version, read without any engine."""
    table = DeltaTable(uri, version=version)
    query = QueryBuilder().register("t", table).execute("select * from t")
    rows: list[dict[str, Any]] = pa.table(query.read_all()).to_pylist()
    return rows


def digest(rows: Iterable[Mapping[str, Any]]) -> int:
    """The same for the same rows in any order."""
    return hash(tuple(sorted(repr(sorted(row.items())) for row in rows)))


def _frozen(row: Mapping[str, Any]) -> Row:
    return tuple(row.values())


def _claimed(row: Mapping[str, Any]) -> Row:
    """A claim without the messages of its range: a topic's are counted once they have landed."""
    return tuple(value for name, value in row.items() if name != "messages")


def _offsets(row: Mapping[str, Any]) -> range:
    return range(row["start_offset"], row["end_offset"] if row["kind"] == "read" else 0)
