"""Facts about references: what a row names exists, and is the same row's message."""

from assess_assets.checks.facts import ATTEMPT, Fact, query, same_message, where_it_is

EVERY_COPY_HAS_ITS_ORIGINAL = Fact(
    name="every_copy_has_its_original",
    table="message_ledger",
    meaning="Every duplicate names the first message of its content, and every conflict the "
    "accepted message of its attempt.",
    query=query(
        f"""
        select {where_it_is("l")}, l.fate, l.refers_to_source, l.refers_to_partition,
               l.refers_to_offset
        from {{message_ledger}} l
        left join {{message_ledger}} o
          on o.source = l.refers_to_source and o.partition = l.refers_to_partition
         and o.offset = l.refers_to_offset and o.user_exam_id = l.user_exam_id
         and ((l.fate = 'conflict' and o.fate = 'accepted')
              or (l.fate = 'duplicate' and o.fate in ('accepted', 'conflict')
                  and o.fingerprint = l.fingerprint))
        where l.fate in ('duplicate', 'conflict') and o.source is null
        """
    ),
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
    EVERY_QUESTION_HAS_ITS_ATTEMPT,
    EVERY_OPTION_HAS_ITS_QUESTION,
)
