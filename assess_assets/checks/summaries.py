"""Facts about what an attempt says of itself: its numbers are those of its questions and counts.

Belongs here: counting again, in SQL, what `transforms/assessments` computed. What the message
reports is the source's to say; only the bytes prove that it was read right (`verification`).
"""

from assess_assets.checks.balance import WATERMARK
from assess_assets.checks.facts import ATTEMPT, Fact, named, query, where_it_is
from assess_assets.tables.attempts import COUNTS

# In brackets: Spark's grammar has no comparison behind `in (...)`.
_SAYS_OPTIONS_DIFFER = "(a.mismatch in ('options', 'counts_and_options'))"
# What is not reported differs from nothing.
_COUNTS_DIFFER = " or ".join(
    f"a.reported_{name} <> a.computed_{name}" for name in (*COUNTS, "all_correct")
)
_MISMATCH = f"""case
        when {_SAYS_OPTIONS_DIFFER} and a.reported_total is null then 'options'
        when a.reported_total is null then 'no_counts'
        when {_SAYS_OPTIONS_DIFFER} and coalesce({_COUNTS_DIFFER}, false) then 'counts_and_options'
        when {_SAYS_OPTIONS_DIFFER} then 'options'
        when coalesce({_COUNTS_DIFFER}, false) then 'counts' else 'none' end"""
_WRONG_IN_ITSELF = {
    "computed_all_correct": "a.computed_all_correct is distinct from "
    "(a.computed_total > 0 and a.computed_correct = a.computed_total)",
    "mismatch": f"a.mismatch is distinct from {_MISMATCH}",
    "score": "a.score is distinct from "
    "case when a.reported_total > 0 then a.reported_correct / a.reported_total end",
    **{
        f"reported_{name}": f"(a.reported_{name} is null) <> (a.reported_total is null)"
        for name in (*COUNTS, "all_correct")
        if name != "total"
    },
    **{
        name: f"unix_micros(a.{name}) is distinct from "
        f"cast(floor(a.{name}_seconds * 1000000) as bigint)"
        for name in ("keen_timestamp", "keen_created_at")
    },
}
WRONG_IN_ITSELF = " or ".join(_WRONG_IN_ITSELF.values())

ATTEMPTS_AGREE_WITH_THEMSELVES = Fact(
    name="attempts_agree_with_themselves",
    table="assessments",
    meaning="The mismatch and score of every attempt follow from its computed and its reported "
    "counts, which are reported together or not at all; and its times are those in seconds.",
    query=query(
        f"""
        select {where_it_is("f")}, f.differs
        from (select {where_it_is("a")}, {named(_WRONG_IN_ITSELF.items())} as differs
              from {{assessments}} a) f
        where f.differs <> ''
        """
    ),
)

_COUNTED = {
    "total": "count(*)",
    "submitted": "count_if(q.user_submitted)",
    "correct": "count_if(q.result = 'correct')",
    "incorrect": "count_if(q.result = 'incorrect')",
    "incomplete": "count_if(q.result = 'missed_some')",
    "unanswered": "count_if(q.result = 'unanswered')",
}
_OF_AN_ATTEMPT = ", ".join(
    [
        *(f"{text} as {name}" for name, text in _COUNTED.items()),
        "count_if(q.computed_result <> q.result) as contradicted",
    ]
)
_MISCOUNTED = named(
    [
        *(
            (f"computed_{name}", f"a.computed_{name} is distinct from coalesce(s.{name}, 0)")
            for name in COUNTS
        ),
        ("mismatch", f"{_SAYS_OPTIONS_DIFFER} <> (coalesce(s.contradicted, 0) > 0)"),
    ]
)

ATTEMPTS_COUNT_THEIR_QUESTIONS = Fact(
    name="attempts_count_their_questions",
    table="questions",
    meaning="Every attempt's computed counts are those of its rows in questions, and its mismatch "
    "says whether a result of one differs from what its options say.",
    slices=ATTEMPT,
    query=query(
        f"""
        select {where_it_is("f")}, f.differs
        from (select {where_it_is("a")}, {_MISCOUNTED} as differs
              from {{assessments}} a
              left join (select q.user_exam_id, {_OF_AN_ATTEMPT}
                         from {{questions}} q group by q.user_exam_id) s
                on s.user_exam_id = a.user_exam_id
              where a.batch <= {WATERMARK}) f
        where f.differs <> ''
        """
    ),
)

_COMPUTED = [f"a.computed_{name}" for name in COUNTS]
_COUNTS_SOMETHING = " or ".join(f"{column} is distinct from 0" for column in _COMPUTED)

# Both sides are summed up and nothing is joined: a row per attempt waits, and only while it is
# counted. An attempt without questions has a row on neither side.
QUESTIONS_COUNTED = query(
    f"""
    select 1 as one
    from (select count(*) as attempts, count_if(c.first <> 0 or c.last <> c.total - 1) as displaced,
                 bit_xor(xxhash64(c.user_exam_id, c.total, c.options)) as whole,
                 bit_xor(xxhash64(c.user_exam_id, {", ".join(f"c.{name}" for name in COUNTS)},
                                  c.contradicted > 0)) as counted
          from (select q.user_exam_id, min(q.position) as first, max(q.position) as last,
                       cast(sum(q.options_shown) as bigint) as options, {_OF_AN_ATTEMPT}
                from {{questions}} q group by q.user_exam_id) c) s
    cross join
         (select count(*) as attempts,
                 bit_xor(xxhash64(l.user_exam_id, l.question_count, l.option_count)) as whole
          from {{message_ledger}} l
          where l.fate = 'accepted'
            and (l.question_count is distinct from 0 or l.option_count is distinct from 0)) l
    cross join
         (select bit_xor(xxhash64(a.user_exam_id, {", ".join(_COMPUTED)},
                                  {_SAYS_OPTIONS_DIFFER})) as counted
          from {{assessments}} a
          where a.batch <= {WATERMARK}
            and ({_SAYS_OPTIONS_DIFFER} or {_COUNTS_SOMETHING})) a
    where s.attempts <> l.attempts or s.displaced > 0
       or s.whole is distinct from l.whole or s.counted is distinct from a.counted
    """
)

SUMMARIES = (ATTEMPTS_AGREE_WITH_THEMSELVES, ATTEMPTS_COUNT_THEIR_QUESTIONS)
