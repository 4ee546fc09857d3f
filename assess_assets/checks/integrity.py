"""Facts about references: what a row names exists, and is the same row's message."""

from assess_assets.checks.facts import ATTEMPT, Fact, named, query, same_message, where_it_is

_EARLIER = """(o.batch < l.batch or (o.batch = l.batch and (o.source < l.source
              or (o.source = l.source and (o.partition < l.partition
                  or (o.partition = l.partition and o.offset < l.offset))))))"""

EVERY_COPY_HAS_ITS_ORIGINAL = Fact(
    name="every_copy_has_its_original",
    table="message_ledger",
    meaning="Every duplicate names the first message of its content, and every conflict the "
    "accepted message of its attempt; both arrived earlier.",
    query=query(
        f"""
        select {where_it_is("l")}, l.fate, l.refers_to_source, l.refers_to_partition,
               l.refers_to_offset
        from {{message_ledger}} l
        left join {{message_ledger}} o
          on o.source = l.refers_to_source and o.partition = l.refers_to_partition
         and o.offset = l.refers_to_offset and o.user_exam_id = l.user_exam_id
         and {_EARLIER}
         and ((l.fate = 'conflict' and o.fate = 'accepted')
              or (l.fate = 'duplicate' and o.fate in ('accepted', 'conflict')
                  and o.fingerprint = l.fingerprint
                  and o.question_count = l.question_count and o.option_count = l.option_count))
        where l.fate in ('duplicate', 'conflict') and o.source is null
        """
    ),
)

EVERY_BUILD_IS_KNOWN = Fact(
    name="every_build_is_known",
    table="message_ledger",
    meaning="The build of every row of the ledger is in builds.",
    query=query(
        """
        select l.build, l.messages
        from (select f.build, count(*) as messages from {message_ledger} f group by f.build) l
        left join {builds} b on b.build = l.build
        where b.build is null
        """
    ),
)

_OF_CONFLICTS = named(
    [
        ("user_exam_id", "k.user_exam_id is distinct from l.user_exam_id"),
        ("fingerprint", "k.fingerprint is distinct from l.fingerprint"),
        ("accepted_source", "k.accepted_source is distinct from l.refers_to_source"),
        ("accepted_partition", "k.accepted_partition is distinct from l.refers_to_partition"),
        ("accepted_offset", "k.accepted_offset is distinct from l.refers_to_offset"),
        ("build", "k.build <> l.build"),
    ]
)
_OF_REFUSED = named(
    [
        *(
            (name, f"l.{name} is not null")
            for name in ("user_exam_id", "fingerprint", "question_count", "option_count")
        ),
        (
            "why",
            "l.why is distinct from case when k.json_path is null then k.rule "
            "else concat(k.rule, ' at ', k.json_path) end",
        ),
        ("build", "k.build <> l.build"),
    ]
)


def _kept(table: str, fate: str, differs: str) -> str:
    return (
        f"select {where_it_is('l')}, l.fate, {differs} as differs\n"
        f"      from {{{table}}} k join {{message_ledger}} l\n"
        f"        on {same_message('l', 'k')} and l.fate = '{fate}'"
    )


KEPT_MESSAGES_AGREE_WITH_THE_LEDGER = Fact(
    name="kept_messages_agree_with_the_ledger",
    table="message_ledger",
    meaning="The ledger says of every conflict which attempt, content and accepted message it is "
    "about as conflicting_assessments does; of every quarantined message which rule it breaks, as "
    "quarantined_messages does, and no more; of both, which build made them. Nothing but copies "
    "and conflicts refers to another.",
    query=f"select {where_it_is('f')}, f.fate, f.differs\n"
    f"from ({_kept('conflicting_assessments', 'conflict', _OF_CONFLICTS)}\n"
    f"      union all {_kept('quarantined_messages', 'quarantined', _OF_REFUSED)}\n"
    f"      union all select {where_it_is('l')}, l.fate, 'refers_to' as differs\n"
    "      from {message_ledger} l\n"
    "      where l.fate in ('accepted', 'quarantined') and l.refers_to_source is not null) f\n"
    "where f.differs <> ''",
)

EVERY_QUESTION_HAS_ITS_ATTEMPT = Fact(
    name="every_question_has_its_attempt",
    table="questions",
    meaning="Every row of questions names an attempt of assessments, and the same message.",
    slices=ATTEMPT,
    query=query(
        f"""
        select {where_it_is("q")}, q.position, q.question_id
        from {{questions}} q
        left join {{assessments}} a
          on a.user_exam_id = q.user_exam_id and {same_message("a", "q")}
        where a.user_exam_id is null
        """
    ),
    # A row per attempt, not per question, waits for its partner.
    suspicion=query(
        f"""
        select 1 as one
        from (select distinct q.user_exam_id, q.source, q.partition, q.offset
              from {{questions}} q) s
        left anti join {{assessments}} a
          on a.user_exam_id = s.user_exam_id and {same_message("a", "s")}
        """
    ),
)

EVERY_OPTION_HAS_ITS_QUESTION = Fact(
    name="every_option_has_its_question",
    table="options",
    meaning="Every row of options names a question of questions, and the same message.",
    slices=ATTEMPT,
    query=query(
        f"""
        select {where_it_is("o")}, o.question_position, o.position, o.question_id, o.option_id
        from {{options}} o
        left join {{questions}} q
          on q.user_exam_id = o.user_exam_id and q.position = o.question_position
         and q.question_id = o.question_id and {same_message("q", "o")}
        where q.user_exam_id is null
        """
    ),
)

INTEGRITY = (
    EVERY_COPY_HAS_ITS_ORIGINAL,
    EVERY_BUILD_IS_KNOWN,
    KEPT_MESSAGES_AGREE_WITH_THE_LEDGER,
    EVERY_QUESTION_HAS_ITS_ATTEMPT,
    EVERY_OPTION_HAS_ITS_QUESTION,
)
