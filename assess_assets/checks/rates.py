"""Rates: rows that may be, and should be few. They warn; above the customer's limit they block.

They belong to the tables that everything downstream reads, so that a blocked rate stops it.
"""

from assess_assets.checks.facts import Rate, query, where_it_is

QUARANTINE_RATE = Rate(
    name="quarantine_rate",
    table="message_ledger",
    meaning="share of messages that break the message contract",
    query=query(
        f"""
        select {where_it_is("q")}, q.rule, q.json_path
        from {{quarantined_messages}} q
        """
    ),
    of="message_ledger",
    reason="rule",
    limit="max_quarantine_share",
)

CONFLICT_RATE = Rate(
    name="conflict_rate",
    table="message_ledger",
    meaning="share of messages that tell other content of an attempt that is known already",
    query=query(
        f"""
        select {where_it_is("c")}, c.accepted_source, c.accepted_partition, c.accepted_offset
        from {{conflicting_assessments}} c
        """
    ),
    of="message_ledger",
    reason="source",
    limit="max_conflict_share",
)

MISMATCH_RATE = Rate(
    name="mismatch_rate",
    table="assessments",
    meaning="share of attempts whose counts, questions and options contradict each other",
    query=query(
        f"""
        select {where_it_is("a")}, a.mismatch
        from {{assessments}} a
        where a.mismatch in ('counts', 'options', 'counts_and_options')
        """
    ),
    of="assessments",
    reason="mismatch",
    limit="max_mismatch_share",
)

RATES = (QUARANTINE_RATE, CONFLICT_RATE, MISMATCH_RATE)
