"""Facts about two readers of one message: the validator (Python) and the parser (the engine) agree.

The ledger keeps what the validator saw, `assessments.questions` what the parser made of it. Which
values of a question and an option must be there is the message contract's to say.
"""

from assess_assets.checks.facts import Fact, named, query, same_message, where_it_is
from assess_assets.messages.contract import Option, Part, Question, required_fields

_QUESTIONS = f"""select {where_it_is("a")}, explode(a.questions) as question
                    from {{assessments}} a"""
_DIFFERENCES = named(
    [
        ("user_exam_id", "p.user_exam_id is distinct from l.user_exam_id"),
        ("fingerprint", "p.fingerprint is distinct from l.fingerprint"),
        ("questions", "p.questions is distinct from l.question_count"),
        ("options", "p.options is distinct from l.option_count"),
    ]
)

# Questions are counted before anything is joined: a join would carry all of their content along.
VALIDATOR_AND_PARSER_AGREE = Fact(
    name="validator_and_parser_agree",
    table="message_ledger",
    meaning="Of every accepted message the parser read the attempt, and as many questions and "
    "options, as the validator saw.",
    query=query(
        f"""
        select f.source, f.partition, f.offset, f.batch, f.differs,
               f.question_count, f.questions_parsed, f.option_count, f.options_parsed
        from (select {where_it_is("l")}, l.question_count, l.option_count,
                     p.questions as questions_parsed, p.options as options_parsed,
                     {_DIFFERENCES} as differs
              from {{message_ledger}} l
              join (select a.source, a.partition, a.offset, a.user_exam_id, a.fingerprint,
                           a.questions, coalesce(o.options, 0) as options
                    from (select {where_it_is("t")}, t.user_exam_id, t.fingerprint,
                                 cardinality(t.questions) as questions
                          from {{assessments}} t) a
                    left join (select q.source, q.partition, q.offset,
                                      sum(cardinality(q.question.options)) as options
                               from ({_QUESTIONS}) q
                               group by q.source, q.partition, q.offset) o
                      on {same_message("o", "a")}) p
                on {same_message("p", "l")}
              where l.fate = 'accepted') f
        where f.differs <> ''
        """
    ),
)

# Counts options within their row, by words that DuckDB has not, and compares one number per
# message: ids and fingerprints of all would have to wait for their partners.
DISAGREEMENT_SUSPECTED = query(
    """
    select 1 as one
    from (select xxhash64(a.source, a.partition, a.offset, a.user_exam_id, a.fingerprint,
                          cast(cardinality(a.questions) as bigint),
                          cast(cardinality(flatten(transform(a.questions, q -> q.options)))
                               as bigint)) as hash
          from {assessments} a) p
    left anti join
         (select xxhash64(l.source, l.partition, l.offset, l.user_exam_id, l.fingerprint,
                          l.question_count, l.option_count) as hash
          from {message_ledger} l where l.fate = 'accepted') s
      on s.hash = p.hash
    """
)


def _required(part: type[Part], alias: str) -> str:
    return named((name, f"{alias}.{name} is null") for name in required_fields(part))


PARSED_QUESTIONS_ARE_FILLED = Fact(
    name="parsed_questions_are_filled",
    table="assessments",
    meaning="No question of an attempt lacks a value that the message contract requires.",
    query=query(
        f"""
        select {where_it_is("f")}, f.empty_fields
        from (select {where_it_is("q")}, {_required(Question, "q.question")} as empty_fields
              from ({_QUESTIONS}) q) f
        where f.empty_fields <> ''
        """
    ),
)

PARSED_OPTIONS_ARE_FILLED = Fact(
    name="parsed_options_are_filled",
    table="assessments",
    meaning="No option of a question lacks a value that the message contract requires.",
    query=query(
        f"""
        select {where_it_is("f")}, f.empty_fields
        from (select {where_it_is("o")}, {_required(Option, "o.chosen")} as empty_fields
              from (select {where_it_is("q")}, explode(q.question.options) as chosen
                    from ({_QUESTIONS}) q) o) f
        where f.empty_fields <> ''
        """
    ),
)

AGREEMENT = (VALIDATOR_AND_PARSER_AGREE, PARSED_QUESTIONS_ARE_FILLED, PARSED_OPTIONS_ARE_FILLED)
