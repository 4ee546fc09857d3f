"""One look at a large table that clears several of its facts at once.

Each fact has a query of its own, and most of its time goes into reading what the others read too. A
suspicion reads once; only if it finds anything are its facts asked. Not of small tables: see
`counting`. Belongs here: what implies several facts. The facts themselves are where they were.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from assess_assets.checks.agreement import DISAGREEMENT_SUSPECTED
from assess_assets.checks.explosion import OPTIONS_SUSPECTED, QUESTIONS_SUSPECTED
from assess_assets.checks.facts import ATTEMPT, query, tables_named
from assess_assets.checks.reconciliation import RESULT_OF_OPTIONS
from assess_assets.checks.summaries import QUESTIONS_COUNTED, WRONG_IN_ITSELF
from assess_assets.messages.contract import Option, Question, required_fields
from assess_assets.tables.attempts import ASSESSMENTS


@dataclass(frozen=True)
class Suspicion:
    """`query` has rows whenever one of the `facts` (names) has any; the engine's words are fine.

    Rows with different values of the column `slices` do not meet in it. `kept` is the share of the
    rows of its largest table that wait in its hash tables. Rows of the tables `within_batches` are
    compared with none of other batches: old ones need not be looked at in every run (`unchanged`).
    """

    table: str
    facts: frozenset[str]
    query: str
    within_batches: tuple[str, ...]
    slices: str | None = None
    kept: float = 1.0

    @property
    def tables(self) -> tuple[str, ...]:
        return tables_named(self.table, self.query)


def _any_null(alias: str, columns: Iterable[str]) -> str:
    return " or ".join(f"{alias}.{name} is null" for name in columns)


# Counted, and not filtered by: Sail 0.7.2 pushes a filter down to where it knows no lambda.
ATTEMPTS_ARE_SOUND = Suspicion(
    table="assessments",
    facts=frozenset(
        {
            "assessments_required_columns_are_filled",
            "parsed_questions_are_filled",
            "parsed_options_are_filled",
            "attempts_agree_with_themselves",
        }
    ),
    within_batches=("assessments",),
    query=query(
        f"""
        select 1 as one
        from (select count_if(
                {_any_null("a", ASSESSMENTS.required)}
                or exists(a.questions, q -> {_any_null("q", required_fields(Question))}
                  or exists(q.options, o -> {_any_null("o", required_fields(Option))}))
                or {WRONG_IN_ITSELF}) as attempts
              from {{assessments}} a) s
        where s.attempts > 0
        """
    ),
)

# One row per question waits for its partner, and not one per option. Positions are told apart by
# the bits of a number: where a question shows more than 64 options the facts themselves are asked.
# Two different keys have the same hash once in 10^19 pairs.
OPTIONS_ARE_WHOLE = Suspicion(
    table="options",
    facts=frozenset(
        {
            "options_keys_are_unique",
            "every_option_has_its_question",
            "every_question_has_all_its_options",
        }
    ),
    # Of a key in two batches the questions have two as well, which are looked at as a whole.
    within_batches=("options", "questions"),
    slices=ATTEMPT,
    kept=0.8,  # a question, on both sides, for about five options; it is wide
    query=query(
        f"""
        select 1 as one
        from (select k.hash, count(*) as options, bit_count(bit_or(k.bit)) as positions,
                     min(k.position) as first, max(k.position) as last,
                     min(k.question) as question, max(k.question) as another,
                     count_if(k.checked) as options_checked,
                     count_if(k.is_correct) as options_correct,
                     count_if(k.checked and k.is_correct) as options_correct_checked,
                     min(k.at) as first_at, max(k.at) as last_at
              from (select xxhash64(o.user_exam_id, o.question_position) as hash,
                           xxhash64(o.question_id, o.source, o.partition, o.offset) as question,
                           o.position, shiftleft(1L, cast(pmod(o.position, 64) as int)) as bit,
                           o.checked, o.is_correct, o.at
                    from {{options}} o) k
              group by k.hash) s
        full outer join
             (select xxhash64(q.user_exam_id, q.position) as hash,
                     xxhash64(q.question_id, q.source, q.partition, q.offset) as question,
                     q.options_shown,
                     xxhash64(q.options_checked, q.options_correct, q.options_correct_checked,
                              q.computed_result, q.first_answered_at, q.last_answered_at) as told
              from {{questions}} q) w
          on w.hash = s.hash
        where w.hash is null
           or coalesce(s.options, 0) is distinct from w.options_shown
           or s.first <> 0 or s.last <> s.options - 1 or s.positions <> s.options
           or s.question <> s.another or s.question <> w.question
           or w.told <> xxhash64(
                coalesce(s.options_checked, 0), coalesce(s.options_correct, 0),
                coalesce(s.options_correct_checked, 0),
                {RESULT_OF_OPTIONS},
                s.first_at, s.last_at)
        """
    ),
)

# Both sides are summed up and nothing is joined, so no hash table grows with them. Whoever compares
# all rows with the attempts sees also one that has none.
QUESTIONS_ARE_TOLD = Suspicion(
    table="questions",
    facts=frozenset({"questions_equal_those_of_their_attempts", "every_question_has_its_attempt"}),
    within_batches=("questions", "assessments"),
    query=QUESTIONS_SUSPECTED,
)
OPTIONS_ARE_TOLD = Suspicion(
    table="options",
    facts=frozenset({"options_equal_those_of_their_attempts"}),
    within_batches=("options", "assessments"),
    query=OPTIONS_SUSPECTED,
)
ATTEMPTS_ARE_COUNTED = Suspicion(
    table="questions",
    facts=frozenset({"every_attempt_has_all_its_questions", "attempts_count_their_questions"}),
    within_batches=("questions", "message_ledger", "assessments"),
    slices=ATTEMPT,
    query=QUESTIONS_COUNTED,
)

# Of a message in two batches the ledger has two rows, which its key forbids.
PARSER_AGREES = Suspicion(
    table="message_ledger",
    facts=frozenset({"validator_and_parser_agree"}),
    within_batches=("message_ledger", "assessments"),
    query=DISAGREEMENT_SUSPECTED,
)

SUSPICIONS = (
    PARSER_AGREES,
    ATTEMPTS_ARE_SOUND,
    ATTEMPTS_ARE_COUNTED,
    OPTIONS_ARE_WHOLE,
    QUESTIONS_ARE_TOLD,
    OPTIONS_ARE_TOLD,
)
LOOK_FOR = {fact: look for look in SUSPICIONS for fact in look.facts}
