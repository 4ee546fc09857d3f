"""Upstream tables of one customer as of one build and batch, or a refusal that says what to run.

Belongs here: what steps that read many tables must agree on before they read. What they make of
the tables does not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from assess_assets.assets.builds import running_versions
from assess_assets.commands import update_command
from assess_assets.customers import CustomerPolicy
from assess_assets.storage.io_manager import Tables
from assess_assets.storage.lake import Lake
from assess_assets.storage.protocol import Progress, UpstreamNotReady, require_build
from assess_assets.tables.attempts import ASSESSMENTS
from assess_assets.tables.coordinates import MADE_FROM
from assess_assets.tables.detail import QUESTIONS
from assess_assets.tables.fates import MESSAGE_LEDGER
from assess_assets.tables.registry import table_named


@dataclass(frozen=True)
class Watermark:
    """How far a customer's attempts are: the ledger's build and batch, and its messages."""

    customer: str
    build: int
    batch: int
    messages: int


@dataclass(frozen=True)
class Frames(Mapping[str, DataFrame]):
    """Pinned upstream tables by name, all up to the watermark."""

    upto: Watermark
    tables: Mapping[str, DataFrame]

    def __getitem__(self, name: str) -> DataFrame:
        return self.tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tables)

    def __len__(self) -> int:
        return len(self.tables)


def read_watermark(lake: Lake, customer: str, policy: CustomerPolicy | None) -> Watermark:
    """Raises UpstreamNotReady while the ledger is of another build than the customer's.

    Who only looks needs no policy: the tables are by the one that they were made with.
    """
    running = running_versions(policy or CustomerPolicy())
    build = lake.current_build(customer, running, by_any_policy=policy is None).number
    ledger = lake.progress(lake.pin(MESSAGE_LEDGER, customer))
    require_build(customer, MESSAGE_LEDGER.name, build, ledger)
    return Watermark(customer, build, ledger.highest_batch, ledger.rows)


def read_frames(lake: Lake, upto: Watermark, upstream: Mapping[str, Tables]) -> Frames:
    """The upstream tables up to the watermark. Raises UpstreamNotReady if one isn't as far."""
    frames: dict[str, DataFrame] = {}
    progress: dict[str, Progress] = {}
    for name, tables in upstream.items():
        progress[name] = lake.progress(tables.pin(upto.customer))
        require_build(upto.customer, name, upto.build, progress[name])
        frames[name] = tables[upto.customer].where(F.col("batch") <= upto.batch)
    if QUESTIONS.name in frames:
        _require_questions(upto, progress[QUESTIONS.name], frames[ASSESSMENTS.name])
    for name in frames:
        if MADE_FROM[1] in table_named(name).columns:
            _require_aggregate(upto, name, progress)
    return Frames(upto, frames)


def _require_questions(upto: Watermark, questions: Progress, assessments: DataFrame) -> None:
    """Questions have no row for a batch without attempts, so their batch alone says too little."""
    with_questions = assessments.where(F.size("questions") > 0)
    expected = with_questions.agg(F.expr("coalesce(max(batch), 0) as batch")).collect()[0].batch
    if questions.highest_batch < expected:
        raise UpstreamNotReady(
            f"Customer {upto.customer}: table questions ends at batch {questions.highest_batch}, "
            f"and attempts at {expected}. Materialize questions first: "
            + update_command(upto.customer, "questions*")
        )


def _require_aggregate(upto: Watermark, name: str, progress: Mapping[str, Progress]) -> None:
    """An aggregate is made as a whole from one batch; an empty one only from nothing."""
    own = progress[name]
    made_from = [progress[each] for each in table_named(name).upstream if each in progress]
    from_nothing = any(not each.rows for each in made_from)
    if own.highest_batch == upto.batch or (not own.rows and from_nothing):
        return
    raise UpstreamNotReady(
        f"Customer {upto.customer}: table {name} was made from batch {own.highest_batch} of build "
        f"{own.highest_build}, and the ledger is at batch {upto.batch} of build {upto.build}. "
        f"Materialize {name} first: {update_command(upto.customer, f'{name}*')}"
    )
