"""The fact about the operator's overview: the customer's row is there, and right.

Other customers' rows are their own runs' business: a check is one customer's.
"""

from assess_assets.checks.facts import query
from assess_assets.checks.recounting import Recount

# Each number is counted in another table than the asset's; duplicates are in the ledger alone.
RECOUNTED = Recount(
    "customer_overview",
    [
        query(
            """
            served as (
              select count(*) as messages, max(r.timestamp) as last_message_at
              from {raw_messages} r cross join made where r.batch <= made.batch),
            kept as (
              select count(*) as accepted, count(distinct a.base_exam_id) as exams
              from {assessments} a cross join made where a.batch <= made.batch),
            told as (
              select count(case when l.fate = 'duplicate' then 1 end) as duplicates,
                     count(case when l.fate = 'accepted' then 1 end) as attempts
              from {message_ledger} l cross join made where l.batch <= made.batch),
            refused as (
              select count(*) as quarantined
              from {quarantined_messages} q cross join made where q.batch <= made.batch),
            contradicting as (
              select count(*) as conflicts
              from {conflicting_assessments} c cross join made where c.batch <= made.batch),
            claims as (
              select s.claimed_at from {source_ranges} s cross join made
              where s.batch <= made.batch
              union all
              select b.claimed_at from {builds} b cross join made where b.build <= made.build),
            ran as (select max(c.claimed_at) as last_run_at from claims c),
            recount as (
              select {this_customer} as customer, s.messages, k.accepted, t.duplicates,
                     c.conflicts, q.quarantined, t.attempts, k.exams, s.last_message_at,
                     r.last_run_at
              from served s cross join kept k cross join told t cross join refused q
              cross join contradicting c cross join ran r)
            """
        ),
    ],
    key=["customer"],
    same=[
        "messages",
        "accepted",
        "duplicates",
        "conflicts",
        "quarantined",
        "attempts",
        "exams",
        "last_message_at",
        "last_run_at",
    ],
    near=[],
    rows="select o.* from {customer_overview} o where o.customer = {this_customer}",
)

CUSTOMER_OVERVIEW = (RECOUNTED.fact,)
