"""Facts about numbers of rows between tables: nothing is lost or multiplied on the way.

Numbers of questions and options are compared with what the validator counted in the message.
"""

from assess_assets.checks.facts import ATTEMPT, Fact, named, query, where_it_is
from assess_assets.tables.reports import FORMATS

EVERY_ATTEMPT_HAS_ALL_ITS_QUESTIONS = Fact(
    name="every_attempt_has_all_its_questions",
    table="questions",
    meaning="Every accepted message has as many rows in questions as it has questions, at the "
    "positions from 0 on, and they say that they show as many options as it has.",
    slices=ATTEMPT,
    query=query(
        f"""
        select {where_it_is("l")},
               l.question_count, coalesce(s.questions, 0) as question_rows,
               l.option_count, coalesce(s.options, 0) as options_shown,
               s.first_position, s.last_position
        from {{message_ledger}} l
        left join (select q.user_exam_id, count(*) as questions, sum(q.options_shown) as options,
                          min(q.position) as first_position, max(q.position) as last_position
                   from {{questions}} q group by q.user_exam_id) s
          on s.user_exam_id = l.user_exam_id
        where l.fate = 'accepted'
          and (coalesce(s.questions, 0) is distinct from l.question_count
               or coalesce(s.options, 0) is distinct from l.option_count
               or s.first_position <> 0 or s.last_position <> s.questions - 1)
        """
    ),
)

RESULT_OF_OPTIONS = """case when s.options is null then null
                when s.options_checked = 0 then 'unanswered'
                when s.options_checked > s.options_correct_checked then 'incorrect'
                when s.options_correct > s.options_correct_checked then 'missed_some'
                else 'correct' end"""
# What a question says about its options, and what they say: s.options is null if it has none.
_OF_OPTIONS = named(
    [
        ("options_shown", "coalesce(s.options, 0) is distinct from q.options_shown"),
        ("positions", "s.first_position <> 0 or s.last_position <> s.options - 1"),
        *(
            (name, f"coalesce(s.{name}, 0) is distinct from q.{name}")
            for name in ("options_checked", "options_correct", "options_correct_checked")
        ),
        (
            "computed_result",
            f"q.computed_result is distinct from {RESULT_OF_OPTIONS}",
        ),
        ("first_answered_at", "s.first_answered_at is distinct from q.first_answered_at"),
        ("last_answered_at", "s.last_answered_at is distinct from q.last_answered_at"),
    ]
)

EVERY_QUESTION_HAS_ALL_ITS_OPTIONS = Fact(
    name="every_question_has_all_its_options",
    table="options",
    meaning="Every row of questions has as many rows in options as it says it shows, at the "
    "positions from 0 on; and it counts them, and tells their result and times, as they say.",
    slices=ATTEMPT,
    query=query(
        f"""
        select {where_it_is("f")}, f.position, f.question_id, f.differs,
               f.options_shown, f.option_rows, f.first_position, f.last_position
        from (select {where_it_is("q")}, q.position, q.question_id,
                     q.options_shown, coalesce(s.options, 0) as option_rows,
                     s.first_position, s.last_position,
                     {_OF_OPTIONS} as differs
              from {{questions}} q
              left join (select o.user_exam_id, o.question_position, count(*) as options,
                                min(o.position) as first_position,
                                max(o.position) as last_position,
                                count_if(o.checked) as options_checked,
                                count_if(o.is_correct) as options_correct,
                                count_if(o.checked and o.is_correct) as options_correct_checked,
                                min(o.at) as first_answered_at, max(o.at) as last_answered_at
                         from {{options}} o group by o.user_exam_id, o.question_position) s
                on s.user_exam_id = q.user_exam_id and s.question_position = q.position) f
        where f.differs <> ''
        """
    ),
)


def _adds_up_to_all_attempts(table: str) -> Fact:
    return Fact(
        name=f"{table}_{'add' if table.endswith('s') else 'adds'}_up_to_all_attempts",
        table=table,
        meaning=f"The rows of {table} add up to all attempts and all their messages, up to the "
        "batch they were made from.",
        query=query(
            f"""
            with made as (select coalesce(max(m.batch), 9223372036854775807) as batch
                          from {{{table}}} m),
                 told as (select coalesce(sum(t.attempts), 0) as attempts,
                                 coalesce(sum(t.messages), 0) as messages from {{{table}}} t),
                 kept as (select count(*) as attempts from {{assessments}} a
                          cross join made where a.batch <= made.batch),
                 sent as (select count(*) as messages
                          from {{message_ledger}} l cross join made
                          left join {{message_ledger}} o
                            on o.source = l.refers_to_source and o.fate = 'accepted'
                           and o.partition = l.refers_to_partition
                           and o.offset = l.refers_to_offset
                          where l.batch <= made.batch
                            and (l.fate = 'accepted'
                                 or (l.fate = 'duplicate' and o.fate = 'accepted')))
            select told.attempts, kept.attempts as attempts_in_assessments,
                   told.messages, sent.messages as messages_in_message_ledger
            from told cross join kept cross join sent
            where told.attempts <> kept.attempts or told.messages <> sent.messages
            """
        ),
    )


QUESTION_DIFFICULTY_ADDS_UP_TO_ALL_QUESTIONS = Fact(
    name="question_difficulty_adds_up_to_all_questions",
    table="question_difficulty",
    meaning="The rows of question_difficulty were shown as often, together, as questions has rows, "
    "up to the batch they were made from.",
    query=query(
        """
        with made as (select coalesce(max(m.batch), 9223372036854775807) as batch
                      from {question_difficulty} m),
             told as (select coalesce(sum(d.shown), 0) as shown from {question_difficulty} d),
             kept as (select count(*) as questions from {questions} q
                      cross join made where q.batch <= made.batch)
        select told.shown, kept.questions as rows_in_questions
        from told cross join kept where told.shown <> kept.questions
        """
    ),
)

THE_REPORT_HAS_EVERY_FORMAT = Fact(
    name="the_report_has_every_format",
    table="customer_report",
    meaning="A customer with messages has a report in every format, made from a build and a batch "
    "that the ledger has reached.",
    query=query(
        f"""
        select f.format, l.messages, r.build, r.batch
        from ({" union all ".join(f"select '{each}' as format" for each in FORMATS)}) f
        cross join (select count(*) as messages, max(m.build) as build, max(m.batch) as batch
                    from {{message_ledger}} m) l
        left join {{customer_report}} r on r.format = f.format
        where l.messages > 0 and (r.format is null or r.build > l.build or r.batch > l.batch)
        """
    ),
)

RECONCILIATION = (
    EVERY_ATTEMPT_HAS_ALL_ITS_QUESTIONS,
    EVERY_QUESTION_HAS_ALL_ITS_OPTIONS,
    _adds_up_to_all_attempts("exams"),
    _adds_up_to_all_attempts("exam_counts"),
    _adds_up_to_all_attempts("exam_performance"),
    QUESTION_DIFFICULTY_ADDS_UP_TO_ALL_QUESTIONS,
    THE_REPORT_HAS_EVERY_FORMAT,
)
