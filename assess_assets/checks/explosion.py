"""Facts about what attempts explode into: every row of questions and options is as its attempt's.

Each table is compared with the nested questions of assessments, in all columns that they tell. What
a question says about its options is compared with options, where they are counted anyway
(`reconciliation`). Belongs here: exploding once more, in SQL, and comparing.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from assess_assets.checks.balance import WATERMARK
from assess_assets.checks.facts import ATTEMPT, Fact, coordinates_of, named, query
from assess_assets.tables.attempts import ASSESSMENTS
from assess_assets.tables.contract import TableContract
from assess_assets.tables.detail import OPTIONS, QUESTIONS

_CARRIED = [name for name in QUESTIONS.column_names if name in ASSESSMENTS.column_names]


def _carried(alias: str) -> str:
    return ", ".join(f"{alias}.{name}" for name in _CARRIED)


class _Exploding(NamedTuple):
    """How a query has a row per item of an array, with its place: what is selected, and the two.

    The array itself is not carried along: see `transforms/options`.
    """

    selected: str
    place: str
    item: str
    where: str = "true"

    def told(self, table: TableContract) -> str:
        """The rows that the attempts have for the table: what a crash left is not exploded yet."""
        questions = f"""select {_carried("a")}, {self.selected.format("a.questions")}
                    from {{assessments}} a
                    where {self.where.format("a.questions")} and a.batch <= {WATERMARK}"""
        if table is QUESTIONS:
            return self._named(questions, _OF_QUESTIONS)
        options = f"""select {_carried("q")}, cast(q.{self.place} as bigint) as question_position,
                           q.{self.item}.id as question_id,
                           {self.selected.format(f"q.{self.item}.options")}
                    from ({questions}) q
                    where {self.where.format(f"q.{self.item}.options")}"""
        return self._named(options, _OF_OPTIONS)

    def _named(self, parts: str, values: Mapping[str, str]) -> str:
        told = (f"{text.format(self)} as {name}" for name, text in values.items())
        return f"select {_carried('p')}, {', '.join(told)}\n              from ({parts}) p"


# The former in words that DuckDB can be taught; the latter takes the engine a quarter of the time.
_FOR_PEOPLE = _Exploding(
    "explode(map_entries(map_from_arrays(sequence(0, cardinality({0}) - 1), {0}))) as part",
    "part.key",
    "part.value",
    where="cardinality({0}) > 0",
)
_FOR_THE_ENGINE = _Exploding("posexplode({0}) as (place, item)", "place", "item")

_OF_QUESTIONS = {
    "position": "cast(p.{0.place} as bigint)",
    "question_id": "p.{0.item}.id",
    "result": "p.{0.item}.user_result",
    "user_correct": "p.{0.item}.user_correct",
    "user_incomplete": "p.{0.item}.user_incomplete",
    "user_submitted": "p.{0.item}.user_submitted",
    "options_shown": "cast(cardinality(p.{0.item}.options) as bigint)",
}
_OF_OPTIONS = {
    "question_position": "p.question_position",
    "question_id": "p.question_id",
    "position": "cast(p.{0.place} as bigint)",
    "option_id": "p.{0.item}.id",
    "checked": "p.{0.item}.checked",
    "is_correct": "coalesce(p.{0.item}.correct, false)",
    "correct": "p.{0.item}.correct",
    "submitted": "p.{0.item}.submitted",
    "at": "p.{0.item}.at",
}


def _equal(table: TableContract, values: Iterable[str]) -> Fact:
    columns = [name for name in (*_CARRIED, *values) if name not in table.key]
    where = coordinates_of(table)
    same_key = " and ".join(f"a.{name} = t.{name}" for name in table.key)
    differs = named((name, f"t.{name} is distinct from a.{name}") for name in columns)
    return Fact(
        name=f"{table.name}_equal_those_of_their_attempts",
        table=table.name,
        meaning=f"The rows of {table.name} are those of the attempts' nested questions, in their "
        "order and with their values.",
        slices=ATTEMPT,
        query=query(
            f"""
            select {", ".join(f"f.{name}" for name in where)}, f.differs
            from (select {", ".join(f"coalesce(t.{name}, a.{name}) as {name}" for name in where)},
                         case when t.{ATTEMPT} is null then 'is missing'
                              when a.{ATTEMPT} is null then 'is of no attempt'
                              else {differs} end as differs
                  from {{{table.name}}} t
                  full outer join ({_FOR_PEOPLE.told(table)}) a on {same_key}) f
            where f.differs <> ''
            """
        ),
    )


QUESTIONS_EQUAL = _equal(QUESTIONS, _OF_QUESTIONS)
OPTIONS_EQUAL = _equal(OPTIONS, _OF_OPTIONS)
EXPLOSION = (QUESTIONS_EQUAL, OPTIONS_EQUAL)


def _unequal(table: TableContract, values: Iterable[str]) -> str:
    """A row if the two sides have not equally many rows and the same hashes.

    A hash leaves nulls out: two neighbours of one type, of which either may be null, need more.
    """
    hashed = [f"t.{name}" for name in (*_CARRIED, *values)]
    if table is OPTIONS:
        hashed.append("t.submitted is null")
    sums = f"select count(*) as n, bit_xor(xxhash64({', '.join(hashed)})) as hash"
    return query(
        f"""
        select 1 as one
        from ({sums} from {{{table.name}}} t) s
        cross join ({sums} from ({_FOR_THE_ENGINE.told(table)}) t) w
        where s.n <> w.n or s.hash is distinct from w.hash
        """
    )


QUESTIONS_SUSPECTED = _unequal(QUESTIONS, _OF_QUESTIONS)
OPTIONS_SUSPECTED = _unequal(OPTIONS, _OF_OPTIONS)
