"""Facts about aggregates: each equals a recount, by another way than the one it was made on.

From attempts and the ledger's references, in SQL; questions are counted inside the attempts and
not in `questions`. Rows are compared up to the batch that the aggregate was made from.
"""

from assess_assets.checks.facts import query
from assess_assets.checks.recounting import Recount

_COUNTED = ("incorrect", "correct", "incomplete", "unanswered")


# One row per attempt, with the messages that say the same: itself, and duplicates naming it.
_ATTEMPTS = """
copies as (
  select l.refers_to_source as source, l.refers_to_partition as kafka_partition,
         l.refers_to_offset as position, count(*) as copies
  from {message_ledger} l cross join made
  where l.fate = 'duplicate' and l.batch <= made.batch
  group by l.refers_to_source, l.refers_to_partition, l.refers_to_offset),
attempts as (
  select a.base_exam_id, a.exam_name, a.started_at, a.is_test, a.score, a.reported_all_correct,
         a.reported_correct, a.reported_incorrect, a.reported_incomplete, a.reported_unanswered,
         a.reported_total, 1 + coalesce(c.copies, 0) as messages
  from {assessments} a cross join made
  left join copies c on c.source = a.source and c.kafka_partition = a.partition
                    and c.position = a.offset
  where a.batch <= made.batch)""".strip()

_SHOWN = """
shown as (
  select a.base_exam_id, a.exam_name, a.is_test, explode(a.questions) as question
  from {assessments} a cross join made where a.batch <= made.batch)""".strip()

EXAMS = Recount(
    "exams",
    [
        _ATTEMPTS,
        _SHOWN,
        query(
            """
            seen as (
              select s.base_exam_id, count(distinct s.question.id) as questions_seen
              from shown s group by s.base_exam_id),
            taken as (
              select a.base_exam_id, array_sort(array_agg(distinct a.exam_name)) as exam_names,
                     sum(a.messages) as messages, count(*) as attempts,
                     min(a.started_at) as first_taken_at, max(a.started_at) as last_taken_at,
                     bool_and(a.is_test) as is_test
              from attempts a group by a.base_exam_id),
            recount as (
              select n.base_exam_id, n.exam_names, n.messages, n.attempts, n.first_taken_at,
                     n.last_taken_at, n.is_test, coalesce(s.questions_seen, 0) as questions_seen
              from taken n left join seen s on s.base_exam_id = n.base_exam_id)
            """
        ),
    ],
    key=["base_exam_id"],
    same=[
        "exam_names",
        "messages",
        "attempts",
        "questions_seen",
        "first_taken_at",
        "last_taken_at",
        "is_test",
    ],
    near=[],
)

EXAM_COUNTS = Recount(
    "exam_counts",
    [
        _ATTEMPTS,
        query(
            """
            taken as (
              select a.exam_name, sum(a.messages) as messages, count(*) as attempts,
                     count(distinct a.base_exam_id) as base_exam_ids,
                     min(a.started_at) as first_taken_at, max(a.started_at) as last_taken_at,
                     bool_and(a.is_test) as is_test
              from attempts a group by a.exam_name),
            recount as (
              select n.exam_name, n.messages, n.attempts, n.base_exam_ids, n.first_taken_at,
                     n.last_taken_at, n.is_test,
                     rank() over (order by n.messages desc) as popularity_rank
              from taken n)
            """
        ),
    ],
    key=["exam_name"],
    same=[
        "popularity_rank",
        "messages",
        "attempts",
        "base_exam_ids",
        "first_taken_at",
        "last_taken_at",
        "is_test",
    ],
    near=[],
)

_REPORTED = ",\n".join(
    f"case when a.score is not null then a.reported_{name} end as reported_{name}"
    for name in (*_COUNTED, "total")
)
_AVERAGES = ",\n".join(
    f"sum(s.reported_{name}) / nullif(count(s.score), 0) as average_{name},\n"
    f"sum(s.reported_{name} * s.messages) / nullif(sum(s.scored), 0) as average_{name}_by_message"
    for name in _COUNTED
)
# Scores above 1 are rare, and any size: a message may report more correct answers than questions.
SCALES = {
    "average_score": "highest_score",
    "average_score_by_message": "highest_score",
    "score_stddev": "highest_score",
}
EXAM_PERFORMANCE = Recount(
    "exam_performance",
    [
        _ATTEMPTS,
        f"""
scored as (
  select a.exam_name, a.messages, a.is_test, a.score,
         case when a.score is null then 0 else a.messages end as scored,
         case when a.reported_all_correct then 1 else 0 end as all_correct,
         {_REPORTED}
  from attempts a),
recount as (
  select s.exam_name, sum(s.messages) as messages, count(*) as attempts,
         count(s.score) as scored_attempts, sum(s.scored) as scored_messages,
         sum(s.reported_correct) as questions_correct, sum(s.reported_total) as questions_total,
         {_AVERAGES},
         sum(s.score) / nullif(count(s.score), 0) as average_score,
         sum(s.score * s.messages) / nullif(sum(s.scored), 0) as average_score_by_message,
         sum(s.all_correct) as all_correct_attempts,
         sum(s.all_correct * s.messages) as all_correct_messages,
         sum(case when s.score is not null then s.all_correct end)
           / nullif(count(s.score), 0) as all_correct_share,
         stddev_samp(s.score) as score_stddev,
         min(s.score) as lowest_score, max(s.score) as highest_score,
         bool_and(s.is_test) as is_test
  from scored s group by s.exam_name)""".strip(),
    ],
    key=["exam_name"],
    same=[
        "messages",
        "attempts",
        "scored_attempts",
        "scored_messages",
        "questions_correct",
        "questions_total",
        "all_correct_attempts",
        "all_correct_messages",
        "lowest_score",
        "highest_score",
        "is_test",
    ],
    near=[
        *(f"average_{name}" for name in _COUNTED),
        *(f"average_{name}_by_message" for name in _COUNTED),
        "average_score",
        "average_score_by_message",
        "all_correct_share",
        "score_stddev",
    ],
    scales=SCALES,
)

QUESTION_DIFFICULTY = Recount(
    "question_difficulty",
    [
        _SHOWN,
        query(
            """
            counted as (
              select s.base_exam_id, s.question.id as question_id, min(s.exam_name) as exam_name,
                     count(*) as shown, bool_and(s.is_test) as is_test,
                     count(case when s.question.user_result = 'correct' then 1 end) as correct,
                     count(case when s.question.user_result = 'incorrect' then 1 end) as incorrect,
                     count(case when s.question.user_result = 'missed_some' then 1 end)
                       as missed_some,
                     count(case when s.question.user_result = 'unanswered' then 1 end)
                       as unanswered
              from shown s group by s.base_exam_id, s.question.id),
            shared as (
              select c.base_exam_id, c.question_id, c.exam_name, c.shown, c.is_test, c.correct,
                     c.incorrect, c.missed_some, c.unanswered,
                     c.correct + c.incorrect + c.missed_some as answered,
                     (c.incorrect + c.missed_some)
                       / nullif(c.correct + c.incorrect + c.missed_some, 0) as share_wrong
              from counted c),
            recount as (
              select s.base_exam_id, s.question_id, s.exam_name, s.shown, s.is_test, s.correct,
                     s.incorrect, s.missed_some, s.unanswered, s.answered, s.share_wrong,
                     rank() over (order by s.share_wrong desc nulls last) as difficulty_rank
              from shared s)
            """
        ),
    ],
    key=["base_exam_id", "question_id"],
    same=[
        "difficulty_rank",
        "exam_name",
        "shown",
        "answered",
        "correct",
        "incorrect",
        "missed_some",
        "unanswered",
        "is_test",
    ],
    near=["share_wrong"],
)

RECOUNTS = (EXAMS, EXAM_COUNTS, EXAM_PERFORMANCE, QUESTION_DIFFICULTY)
RECOUNT = tuple(recount.fact for recount in RECOUNTS)
