"""Claims: the rows of source_ranges, as batches of ranges. What they claim never changes.

A claim is made before anything is read, so of a topic it can't know how many of its offsets have a
message: that number alone is filled in once they have landed. And what of a file was given up after
it was claimed has none.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from assess_assets.sources.ranges import SourceRange, without
from assess_assets.storage.damage import TableDamaged
from assess_assets.storage.delta import Pin, append_claim, fill_in
from assess_assets.storage.older_tables import new_columns
from assess_assets.storage.protocol import Place

_KEY = ("batch", "source", "partition", "start_offset", "kind")  # a range has one end


@dataclass(frozen=True)
class Batch:
    """The ranges that one run claimed together."""

    number: int
    ranges: tuple[SourceRange, ...]
    claimed_at: datetime
    is_counted: bool = False  # what it has of topics was counted after it had landed

    @property
    def messages(self) -> int:
        return sum(claim.messages for claim in self.ranges if claim.kind == "read")

    @property
    def bounds(self) -> str:
        return f"batch = {self.number}"


def claimed_batches(claims: Pin) -> list[Batch]:
    """Every batch of a customer, oldest first."""
    rows: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in claim_rows(claims):
        rows[row["batch"]].append(row)
    return [
        Batch(number, tuple(_range(row) for row in of), of[0]["claimed_at"], _is_counted(of))
        for number, of in sorted(rows.items())
    ]


def claim_rows(claims: Pin) -> list[dict[str, Any]]:
    """The rows, in order. Raises TableDamaged if they don't say what was claimed."""
    columns, order = (
        ", ".join(f'"{name}"' for name in names)
        for names in (claims.table.column_names, claims.table.order)
    )
    rows = claims.look_up(f"select {columns} from pinned order by {order}")
    lacking = [name for name in claims.table.required if any(row[name] is None for row in rows)]
    if lacking:
        raise TableDamaged(
            f"Customer {claims.customer}, table {claims.table.name} ({claims.uri}): at version "
            f"{claims.version} rows have no {', no '.join(lacking)}, so what was read of the "
            "sources is not known. Who made that version? Restore the one before it: deltalake's "
            f"DeltaTable('{claims.uri}').restore({claims.version - 1})"
        )
    return rows


def highest_landed(raw: Pin | None) -> int:
    """The last batch that has rows in raw_messages; 0 if none has, or there is no table."""
    if raw is None:
        return 0
    highest: int = raw.look_up("select coalesce(max(batch), 0) as batch from pinned")[0]["batch"]
    return highest


def landed_ends(raw: Pin) -> dict[Place, int]:
    """The offset after the last message of each source's partition, by batch."""
    rows = raw.look_up(
        'select batch, source, "partition", max("offset") + 1 as until from pinned '
        'group by batch, source, "partition"'
    )
    return {Place(row["batch"], row["source"], row["partition"]): row["until"] for row in rows}


def claimed_ends(batches: Sequence[Batch]) -> dict[Place, int]:
    """The same of what was claimed."""
    claims = ((batch.number, claim) for batch in batches for claim in batch.ranges)
    ends = [(Place(batch, one.source, one.partition), one.end_offset) for batch, one in claims]
    return dict(sorted(ends))  # of several ranges of one place, the last is kept


def unlanded(batches: Sequence[Batch], highest: int) -> list[Batch]:
    """Batches whose messages are not in raw_messages yet, oldest first.

    After a crash that is one, and a loss may have been accepted (a batch without messages) since;
    it is all of them when raw_messages was emptied by hand. What was accepted as lost after it was
    claimed is no longer among a batch's ranges.
    """
    lost = [claim for batch in batches for claim in batch.ranges if claim.kind == "lost"]
    # A batch without any message, of nothing but markers of transactions, is in no row.
    later = (batch for batch in batches if batch.number > highest)
    left = [_without(batch, lost) for batch in later if not batch.is_counted]
    return [batch for batch in left if batch.messages]


def unread_files(batches: Sequence[Batch], highest: int) -> set[str]:
    """Files of which something has not been read: claimed in part, or not landed after a crash."""
    claims = [claim for batch in batches for claim in batch.ranges if claim.is_of_a_file]
    whole = {claim.source for claim in claims if claim.is_last}
    left = [claim for batch in unlanded(batches, highest) for claim in batch.ranges]
    in_part = {claim.source for claim in claims} - whole
    return in_part | {claim.source for claim in left if claim.is_of_a_file}


def _without(batch: Batch, lost: Sequence[SourceRange]) -> Batch:
    ranges = [
        piece
        for claim in batch.ranges
        for piece in (without(claim, lost) if claim.kind == "read" else [claim])
    ]
    return replace(batch, ranges=tuple(ranges))


def claim_batch(
    claims: Pin,
    batches: Sequence[Batch],
    ranges: Sequence[SourceRange],
    now: datetime,
    run_id: str,
) -> Batch:
    """Append the ranges as the next batch, against the pinned version. Raises LostRace."""
    number = batches[-1].number + 1 if batches else 1
    append_claim(claims, [_row(number, claim, now, run_id) for claim in ranges])
    return Batch(number, tuple(ranges), now)


def give_up(
    claims: Pin,
    raw: Pin | None,
    batches: Sequence[Batch],
    lost: Sequence[SourceRange],
    now: datetime,
    run_id: str,
) -> Batch:
    """Claim the ranges as lost, against the pinned versions. Raises LostRace.

    In the same commit, claimed ranges of files that are lost and have not landed get no messages.
    A run that still lands them, from a file that it holds open, loses its race by a commit of
    nothing to raw_messages. That comes first: killed in between, nothing has changed.
    """
    if raw is not None:
        append_claim(raw, [])
    number = batches[-1].number + 1 if batches else 1
    unread = [
        (batch, claim)
        for batch in unlanded(batches, highest_landed(raw))
        for claim in batch.ranges
        if claim.kind == "read" and claim.is_of_a_file and not without(claim, lost)
    ]
    new = [_row(number, claim, now, run_id) for claim in lost]
    old = [
        _row(batch.number, claim, batch.claimed_at, run_id) | {"messages": 0}
        for batch, claim in unread
    ]
    if old and "messages" not in new_columns(claims.log, claims.table):
        fill_in(claims, _KEY, "messages", [*old, *new], is_appending=True)
    else:
        append_claim(claims, new)
    return Batch(number, tuple(lost), now)


def _row(number: int, claim: SourceRange, now: datetime, run_id: str) -> dict[str, Any]:
    return {
        "batch": number,
        "source": claim.source,
        "partition": claim.partition,
        "start_offset": claim.start_offset,
        "end_offset": claim.end_offset,
        "messages": _known_messages(claim),
        "start_byte": claim.start_byte,
        "end_byte": claim.end_byte,
        "identity": claim.identity,
        "size_bytes": claim.size_bytes,
        "source_end_offset": claim.source_end_offset,
        "source_timestamp": _from_ms(claim.source_timestamp_ms),
        "kind": claim.kind,
        "note": claim.note,
        "claimed_at": now,
        "run_id": run_id,
    }


def _is_counted(rows: Sequence[dict[str, Any]]) -> bool:
    topics = [row for row in rows if row["kind"] == "read" and row["size_bytes"] is None]
    return bool(topics) and all(row["messages"] is not None for row in topics)


def _known_messages(claim: SourceRange) -> int | None:
    if claim.kind != "read":
        return 0
    return claim.messages if claim.is_of_a_file else None


def count_landed(claims: Pin, raw: Pin, upto: int) -> None:
    """Fill in the messages of ranges that have no number yet, in one commit or none.

    Batches up to `upto` have landed, be it without any message. Raises LostRace.
    """
    uncounted = claims.look_up(f"select * from pinned where messages is null and batch <= {upto}")
    if uncounted:
        counts = raw.look_up(" union all ".join(map(_count_of, uncounted)))
        fill_in(claims, _KEY, "messages", counts)


def _count_of(claim: dict[str, Any]) -> str:
    source = claim["source"].replace("'", "''")
    return (
        f"select {claim['batch']} as batch, '{source}' as source, "
        f'cast({claim["partition"]} as int) as "partition", '
        f"{claim['start_offset']} as start_offset, '{claim['kind']}' as kind, "
        f"count(*) as messages from pinned where batch = {claim['batch']} "
        f"and source = '{source}' and \"partition\" = {claim['partition']} "
        f'and "offset" >= {claim["start_offset"]} and "offset" < {claim["end_offset"]}'
    )


def _range(row: dict[str, Any]) -> SourceRange:
    at = row["source_timestamp"]
    return SourceRange(
        source=row["source"],
        partition=row["partition"],
        start_offset=row["start_offset"],
        end_offset=row["end_offset"],
        start_byte=row["start_byte"],
        end_byte=row["end_byte"],
        identity=row["identity"],
        size_bytes=row["size_bytes"],
        source_end_offset=row["source_end_offset"],
        source_timestamp_ms=None if at is None else round(at.timestamp() * 1000),
        kind=row["kind"],
        note=row["note"],
    )


def _from_ms(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
