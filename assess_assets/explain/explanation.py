"""An explanation: everything that is told about some rows of an aggregate, put together.

Belongs here: what it consists of, and what is wrong with it. How it looks is the command's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from assess_assets.explain.aggregates import Aggregate
from assess_assets.explain.recomputed import ExplainedRow, compare
from assess_assets.explain.sources import Ask, Row, SourceFigures, source_figures
from assess_assets.explain.waterfall import Balance, Step, waterfall
from assess_assets.storage.claims import claimed_batches
from assess_assets.storage.delta import Pin
from assess_assets.storage.layout import LakeLayout
from assess_assets.storage.sandbox import query, sql_over
from assess_assets.tables.ingest import SOURCE_RANGES
from assess_assets.tables.registry import table_named

Tables = Mapping[str, DeltaTable | None]
READ = (
    "source_ranges",
    "raw_messages",
    "builds",
    "message_ledger",
    "assessments",
    "quarantined_messages",
    "conflicting_assessments",
    "questions",
)


class NothingToExplain(Exception):
    """The aggregate has no rows, or none for which the condition holds."""


class OriginLost(Exception):
    """The rows don't say which build and batch they were made from."""


@dataclass(frozen=True)
class Explanation:
    """`made_from` is the rows' (build, batch), `ledger` the one that attempts are at now."""

    customer: str
    aggregate: Aggregate
    columns: Sequence[str]
    made_from: Row
    ledger: Row
    later_messages: int
    tables: list[Row]
    rows: list[ExplainedRow]
    sources: list[SourceFigures]
    steps: list[Step]
    balances: list[Balance]
    messages: list[Row]  # the first of those counted
    messages_query: str  # lists all of them

    @property
    def messages_counted(self) -> int:
        return sum(source.counted for source in self.sources)

    @property
    def is_behind(self) -> bool:
        return self.made_from != self.ledger

    @property
    def differing(self) -> list[ExplainedRow]:
        return [row for row in self.rows if row.differing]

    @property
    def differing_first(self) -> list[ExplainedRow]:
        """All rows, in an order in which no limit hides what differs."""
        return sorted(self.rows, key=lambda row: not row.differing)

    @property
    def unbalanced(self) -> list[Balance]:
        return [balance for balance in self.balances if not balance.holds]


def explain(
    layout: LakeLayout,
    customer: str,
    opened: Tables,
    aggregate: Aggregate,
    columns: Sequence[str],
    where: str | None = None,
    most: int = 5,
) -> Explanation:
    """Explain rows of the customer's tables as opened, listing `most` messages.

    Raises NothingToExplain, OriginLost, and what `query` raises for a condition that is not SQL.
    """
    name = aggregate.table.name
    with sql_over(opened, customer) as session:

        def ask(sql: str) -> list[Row]:
            rows: list[Row] = query(session, sql).to_pylist()
            return rows

        stored = _selected(ask, session, aggregate, where)
        made_from = _made_from(ask, name)
        batch = made_from["batch"]
        claims = opened[SOURCE_RANGES.name]
        batches = claimed_batches(_pin(layout, customer, claims)) if claims else []
        these = _kept(session, aggregate, stored)
        counted = _counted(ask, aggregate, these, batch)
        sources = source_figures(ask, batches, batch, counted)
        steps, balances = waterfall(ask, aggregate, these, sources, stored.to_pylist(), batch)
        recounted = query(session, aggregate.recount.sql(customer))
        return Explanation(
            customer=customer,
            aggregate=aggregate,
            columns=columns,
            made_from=made_from,
            ledger=ask(_LEDGER)[0],
            later_messages=ask(_LATER.format(batch=batch))[0]["n"],
            tables=[_state(ask, opened, each) for each in (name, *READ)],
            rows=compare(aggregate, stored, recounted, _recorded(ask, made_from), columns),
            sources=sources,
            steps=steps,
            balances=balances,
            messages=ask(f"{aggregate.listing(these, batch)} limit {most}"),
            messages_query=aggregate.listing(where, batch),
        )


# A ledger without messages is at the build, and at no batch.
_LEDGER = """select coalesce(max(l.build), (select max(b.build) from builds b)) as build,
  coalesce(max(l.batch), 0) as batch from message_ledger l"""
_LATER = "select count(*) as n from raw_messages r where r.batch > {batch}"


def _selected(ask: Ask, session: Any, aggregate: Aggregate, where: str | None) -> pa.Table:
    name = aggregate.table.name
    order = ", ".join(f'"{column}"' for column in aggregate.table.order)
    stored = query(
        session, f"with {aggregate.selected(where)} select * from selected order by {order}"
    )
    if not stored.num_rows:
        made = ask(f"select count(*) as n from {name}")[0]["n"]
        raise NothingToExplain(
            f"none of its {made} rows is selected by: {where}" if made else "it has no rows"
        )
    return stored


def _kept(session: Any, aggregate: Aggregate, stored: pa.Table) -> str:
    """A condition for the rows that were selected: another asking may select others (random)."""
    keys = aggregate.table.key
    session.register("selected_keys", stored.select(keys))
    return f"({', '.join(keys)}) in (select ({', '.join(keys)}) from selected_keys)"


def _made_from(ask: Ask, name: str) -> Row:
    """The pair that the table's rows are from."""
    found = ask(f"select max(t.build) as build, max(t.batch) as batch from {name} t")[0]
    nulls = " and ".join(column for column, value in found.items() if value is None)
    if nulls:
        raise OriginLost(f"all its rows have null in {nulls}, so what they are from is not known")
    return found


def _counted(
    ask: Ask, aggregate: Aggregate, where: str | None, batch: int
) -> dict[tuple[str, int], int]:
    """How many messages of each source the selected rows count."""
    rows = ask(
        f"{aggregate.messages(where, batch)} select m.source, m.partition, count(*) as n "
        "from counted_messages m group by m.source, m.partition"
    )
    return {(row["source"], row["partition"]): row["n"] for row in rows}


def _recorded(ask: Ask, made_from: Row) -> Row:
    """The pair as the ledger has it: its last build and batch up to the rows' own.

    After a rebuild of the ledger alone, the build that the rows are from is in `builds`.
    """
    build, batch = made_from["build"], made_from["batch"]
    return ask(
        f"""select (select max(b.build) from builds b where b.build <= {build}) as build,
          (select coalesce(max(l.batch), 0) from message_ledger l
           where l.batch <= {batch}) as batch"""
    )[0]


def _state(ask: Ask, opened: Tables, name: str) -> Row:
    """A table's version, rows, build and batch at this moment."""
    columns = table_named(name).column_names
    highest = ", ".join(
        f"max(t.{column}) as {column}" if column in columns else f"null as {column}"
        for column in ("build", "batch")
    )
    log = opened[name]
    return {
        "table": name,
        "version": None if log is None else log.version(),
        **ask(f'select count(*) as "rows", {highest} from {name} t')[0],
    }


def _pin(layout: LakeLayout, customer: str, log: DeltaTable) -> Pin:
    uri = layout.uri(SOURCE_RANGES, customer)
    return Pin(SOURCE_RANGES, customer, uri, log.version(), log)
