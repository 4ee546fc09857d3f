"""What a step may replace: pure decisions from pinned facts, no engine and no files.

Belongs here: how far tables are (`Progress`), and from that the span of batches a step handles.
Steps follow one order: pin the targets, read builds and progress, decide here, write gated.
The tables a crash left behind are finished by the same decisions: nothing is repaired by hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from assess_assets.commands import update_command


class UpstreamNotReady(Exception):
    """A table that a step reads was made by another build, or is behind: run its step first."""


class Place(NamedTuple):
    """Of one source's partition, what one batch read."""

    batch: int
    source: str
    partition: int


@dataclass(frozen=True)
class Progress:
    """How far a table is: `build` and `batch` of its rows. Zeros for an empty table."""

    rows: int = 0
    lowest_build: int = 0
    highest_build: int = 0
    highest_batch: int = 0


@dataclass(frozen=True)
class Span:
    """The batches (after, upto] that a step writes for a build; a rebuild replaces older builds."""

    build: int
    after: int
    upto: int
    rebuild: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.rebuild and self.upto <= self.after

    @property
    def bounds(self) -> str:
        """SQL naming exactly the rows of the target that are replaced."""
        if self.rebuild:
            return f"build < {self.build} or batch <= {self.upto}"
        return self.selection

    @property
    def selection(self) -> str:
        """SQL naming the rows of an upstream that are read."""
        return f"batch > {self.after} and batch <= {self.upto}"


def require_claims(customer: str, claimed: int, landed: int) -> None:
    """What is landed was claimed before. Without its claims it would be claimed, and read, again.

    `claimed` and `landed` are the last batches of source_ranges and of raw_messages.
    """
    if landed > claimed:
        told = f"source_ranges ends at batch {claimed}, and raw_messages at {landed}"
        raise _claims_taken_away(customer, told)


def require_ranges(
    customer: str, claimed: Mapping[Place, int], landed: Mapping[Place, int]
) -> None:
    """The same of each source: a claim may be gone below later ones.

    `claimed` is where the claims of each place end, `landed` where its messages do.
    """
    for place, end in landed.items():
        if end > claimed.get(place, 0):
            only = f"only those before {claimed[place]}" if place in claimed else "none there"
            told = (
                f"raw_messages has messages of {place.source} (partition {place.partition}) up to "
                f"offset {end - 1} in batch {place.batch}, and source_ranges claims {only}"
            )
            raise _claims_taken_away(customer, told)


def _claims_taken_away(customer: str, told: str) -> UpstreamNotReady:
    return UpstreamNotReady(
        f"Customer {customer}: {told}. Claims were taken away, and nothing is claimed over what is "
        "left: messages would be read twice. Restore the earlier version of source_ranges (assess "
        f"history --customer {customer} lists versions), or its folder from a backup. Without one, "
        "and if the sources still have every message, move the customer's whole folder out of the "
        f"lake: everything is read anew by {update_command(customer)}"
    )


def parse_span(
    customer: str,
    build: int,
    raw_batch: int,
    ledger: Progress,
    tables: Mapping[str, Progress],
    ledger_fates: Mapping[str, int],
) -> Span:
    """What the parse step writes.

    `tables` are the parse tables beside the ledger, by name; `ledger_fates` says how many rows the
    ledger (up to its own watermark) promises in each of them. A rebuild rewrites all four from all
    of raw if any has a row of an older build, or is empty where the ledger isn't. The ledger is
    written last, so until it is of this build the rebuild is not done.
    """
    parsed = {"message_ledger": ledger, **tables}
    newer = [name for name, table in parsed.items() if table.highest_build > build]
    if newer:
        raise UpstreamNotReady(
            f"Customer {customer}: {', '.join(newer)} hold rows of a build after {build}. "
            "Another run has superseded this one. Run it again."
        )
    if raw_batch < ledger.highest_batch:
        raise UpstreamNotReady(
            f"Customer {customer}: raw_messages ends at batch {raw_batch}, and the ledger at "
            f"{ledger.highest_batch}. Messages were taken away, and nothing is made from what is "
            "left. Restore the table's earlier version, or materialize raw_messages: what still "
            "lies in its landing folder is landed again."
        )
    outdated = any(0 < table.lowest_build < build for table in parsed.values())
    lost = any(promised and not tables[name].rows for name, promised in ledger_fates.items())
    if outdated or lost:
        return Span(build, after=0, upto=raw_batch, rebuild=True)
    return Span(build, after=ledger.highest_batch, upto=raw_batch)


def explode_span(customer: str, build: int, ledger: Progress, own: Progress) -> Span:
    """What questions, or options, write: from their own highest batch up to the ledger's.

    The ledger must be read before the upstream is pinned, so that the upstream holds all of it.
    """
    require_build(customer, "message_ledger", build, ledger)
    if own.highest_build > build:
        raise UpstreamNotReady(
            f"Customer {customer}: another run has superseded build {build}. Run it again."
        )
    if 0 < own.lowest_build < build:
        return Span(build, after=0, upto=ledger.highest_batch, rebuild=True)
    return Span(build, after=own.highest_batch, upto=ledger.highest_batch)


def require_build(customer: str, table: str, build: int, progress: Progress) -> None:
    """An upstream of another build stops the run; one that is empty is of no build."""
    if progress.rows and (progress.lowest_build, progress.highest_build) != (build, build):
        raise UpstreamNotReady(
            f"Customer {customer}: table {table} holds builds {progress.lowest_build} to "
            f"{progress.highest_build}, and the customer's build is {build}. Materialize "
            f"assessments and what follows: {update_command(customer)}"
        )
