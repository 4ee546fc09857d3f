"""Which aggregates can be explained, and as SQL: the attempts and messages that a row counts.

Belongs here: what differs between aggregates. Does not: running anything, and the recount itself,
which is the checks' (`checks/recount`).
"""

from dataclasses import dataclass
from typing import Final

from assess_assets.checks.customer_overview import RECOUNTED
from assess_assets.checks.recount import RECOUNTS
from assess_assets.checks.recounting import Recount
from assess_assets.storage.sandbox import condition
from assess_assets.tables.contract import TableContract
from assess_assets.tables.exams import EXAM_COUNTS, EXAMS
from assess_assets.tables.performance import EXAM_PERFORMANCE, QUESTION_DIFFICULTY
from assess_assets.tables.reports import CUSTOMER_OVERVIEW

_ATTEMPTS_WITH_SCORE = """
select count(*) as n from assessments a join counted c
  on c.source = a.source and c.partition = a.partition and c.offset = a.offset
where a.score is not null""".strip()
_QUESTIONS_SHOWN = """
select count(*) as n from questions q join counted c
  on c.source = q.source and c.partition = q.partition and c.offset = q.offset""".strip()
_COPIES = """
  union all
  select 'duplicate' as fate, l.source, l.partition, l.offset, l.batch
  from message_ledger l cross join made join counted c
    on c.source = l.refers_to_source and c.partition = l.refers_to_partition
   and c.offset = l.refers_to_offset
  where l.fate = 'duplicate' and l.batch <= made.batch"""
_MESSAGES_UP_TO = """select l.fate, l.source, l.partition, l.offset, l.batch
  from message_ledger l where l.batch <= {batch}"""
_MESSAGES_WITH_A_FATE = """
select count(*) as n from message_ledger l cross join made where l.batch <= made.batch""".strip()
_THESE_QUESTIONS_SHOWN = (
    _QUESTIONS_SHOWN
    + """
where exists (select 1 from selected s
              where s.base_exam_id = q.base_exam_id and s.question_id = q.question_id)"""
)


@dataclass(frozen=True)
class Detail:
    """A number below the attempts; `column` (of the aggregate) sums up to it."""

    label: str
    sql: str
    column: str | None = None


@dataclass(frozen=True)
class Aggregate:
    """`belongs` is true of an attempt `a` that some row of `selected` counts.

    Of a shared table that is every attempt of the customer, and every message is listed.
    """

    table: TableContract
    belongs: str
    details: tuple[Detail, ...]
    counts_messages: bool = True  # its column `messages` counts attempts and copies of them

    @property
    def recount(self) -> Recount:
        recounts = (*RECOUNTS, RECOUNTED)
        return next(recount for recount in recounts if recount.table == self.table.name)

    def selected(self, where: str | None) -> str:
        """A CTE: the rows to explain. It comes first, so that `where` sees tables and nothing else.

        Raises what `condition` raises.
        """
        which = "" if where is None else f" {condition(where)}"
        return f'selected as (select * from "{self.table.name}"{which})'

    def counted(self, where: str | None) -> str:
        """CTEs: what is selected, the batch it was made from, and the attempts it counts."""
        return f"""with {self.selected(where)},
made as (select max(m.batch) as batch from "{self.table.name}" m),
counted as (
  select a.source, a.partition, a.offset, a.batch from assessments a cross join made
  where a.batch <= made.batch and {self.belongs})"""

    def messages(self, where: str | None, batch: int) -> str:
        """CTEs up to `counted_messages`: of attempts, and of identical copies of them.

        For people too, so they can't name a shared table, which is in no customer's session.
        """
        if self.table.shared:
            return f"with counted_messages as (\n  {_MESSAGES_UP_TO.format(batch=batch)})"
        return f"""{self.counted(where)},
counted_messages as (
  select 'accepted' as fate, c.source, c.partition, c.offset, c.batch
  from counted c{_COPIES if self.counts_messages else ""})"""

    def listing(self, where: str | None, batch: int) -> str:
        """The query that lists every message that is counted, in order of arrival."""
        return f"""{self.messages(where, batch)}
select m.fate, m.source, m.partition, m.offset, m.batch from counted_messages m
order by m.batch, m.source, m.partition, m.offset"""


_SAME_FORM = "exists (select 1 from selected s where s.base_exam_id = a.base_exam_id)"
_SAME_NAME = "exists (select 1 from selected s where s.exam_name = a.exam_name)"
_SHOWED_IT = """exists (
    select 1 from questions q join selected s
      on s.base_exam_id = q.base_exam_id and s.question_id = q.question_id
    where q.user_exam_id = a.user_exam_id)"""

AGGREGATES: Final = (
    Aggregate(EXAMS, _SAME_FORM, (Detail("questions that they showed", _QUESTIONS_SHOWN),)),
    Aggregate(EXAM_COUNTS, _SAME_NAME, ()),
    Aggregate(
        EXAM_PERFORMANCE,
        _SAME_NAME,
        (Detail("of these attempts, with a score", _ATTEMPTS_WITH_SCORE, "scored_attempts"),),
    ),
    Aggregate(
        QUESTION_DIFFICULTY,
        _SHOWED_IT,
        (Detail("times that they showed these questions", _THESE_QUESTIONS_SHOWN, "shown"),),
        counts_messages=False,
    ),
    Aggregate(
        CUSTOMER_OVERVIEW,
        "exists (select 1 from selected)",
        (Detail("messages with a fate", _MESSAGES_WITH_A_FATE, "messages"),),
        counts_messages=False,
    ),
)
EXPLAINABLE: Final = {aggregate.table.name: aggregate for aggregate in AGGREGATES}
