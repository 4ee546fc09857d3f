"""Facts about what everything else starts from: claims follow each other, and so do builds.

Both are only ever extended, so each row says how the one before it ended. Belongs here: what these
tables say of themselves. What landed of the claims is compared in `balance`.
"""

from collections.abc import Iterable

from assess_assets.checks.facts import THIS_CUSTOMER, Fact, named, query
from assess_assets.sources.kafka import AGAIN
from assess_assets.sources.kafka_topic import PREFIX

_OF_A_FILE = "c.size_bytes is not null"
# What a source is, and of a file how large, how long and how old: the same in all of its claims.
_OF_ITS_SOURCE = ("identity", "size_bytes", "source_end_offset", "source_timestamp")
_OF_CLAIMS = named(
    [
        (
            "start_offset",
            "c.start_offset > coalesce(c.previous_end, case when "
            f"{_OF_A_FILE} then 0 else c.start_offset end)"
            " or (c.kind = 'read' and c.start_offset < c.previous_end)",
        ),
        ("end_offset", "c.end_offset < c.start_offset or c.end_offset > c.source_end_offset"),
        (
            "start_byte",
            f"{_OF_A_FILE} and c.kind = 'read' and c.previous_end is not null"
            " and c.start_byte is distinct from c.previous_end_byte",
        ),
        (
            "end_byte",
            "(c.start_byte is null) <> (c.end_byte is null) or c.start_byte < 0"
            " or c.end_byte < c.start_byte or c.end_byte > coalesce(c.size_bytes, -1)",
        ),
        (
            "identity",
            f"c.least_identity <> c.most_identity or ({_OF_A_FILE} and length(c.identity) <> 64)",
        ),
        *(
            (name, f"{_OF_A_FILE} and c.least_{name} <> c.most_{name}")
            for name in _OF_ITS_SOURCE[1:]
        ),
    ]
)


def _least_and_most(names: Iterable[str]) -> str:
    return ", ".join(
        f"{function}(s.{name}) over (partition by s.source) as {said}_{name}"
        for name in names
        for function, said in (("min", "least"), ("max", "most"))
    )


_BEFORE = "partition by s.source, s.partition order by s.batch, s.start_offset"

CLAIMS_FOLLOW_EACH_OTHER = Fact(
    name="claims_follow_each_other",
    table="source_ranges",
    meaning="Every range that was read, or given up, begins where those before it of the same "
    "source and partition end, the first of a file at 0; its bytes too. All of a source have the "
    "same identity, and of a file the same size, end and time.",
    query=query(
        f"""
        select f.source, f.partition, f.batch, f.start_offset, f.end_offset, f.kind, f.differs
        from (select c.source, c.partition, c.batch, c.start_offset, c.end_offset, c.kind,
                     {_OF_CLAIMS} as differs
              from (select s.source, s.partition, s.batch, s.start_offset, s.end_offset, s.kind,
                           s.start_byte, s.end_byte, s.identity, s.size_bytes,
                           s.source_end_offset,
                           max(s.end_offset) over ({_BEFORE} rows between unbounded preceding
                             and 1 preceding) as previous_end,
                           lag(s.end_byte) over ({_BEFORE}) as previous_end_byte,
                           {_least_and_most(_OF_ITS_SOURCE)}
                    from {{source_ranges}} s where s.kind <> 'refused') c) f
        where f.differs <> ''
        """
    ),
)

BATCHES_FOLLOW_EACH_OTHER = Fact(
    name="batches_follow_each_other",
    table="source_ranges",
    meaning="Batches are numbered from 1 without a gap, and each was claimed by one run at one "
    "time.",
    query=query(
        """
        select b.batch, b.previous_batch, b.ranges, b.runs, b.times
        from (select g.batch, g.ranges, g.runs, g.times,
                     coalesce(lag(g.batch) over (order by g.batch), 0) as previous_batch
              from (select s.batch, count(*) as ranges, count(distinct s.run_id) as runs,
                           count(distinct s.claimed_at) as times
                    from {source_ranges} s group by s.batch) g) b
        where b.batch <> b.previous_batch + 1 or b.runs > 1 or b.times > 1
        """
    ),
)

TOPICS_ARE_THE_CUSTOMERS_OWN = Fact(
    name="topics_are_the_customers_own",
    table="source_ranges",
    meaning="What was claimed of a topic is of the customer's own: tables of another customer, put "
    "in this one's folder, are not.",
    query=query(
        f"""
        select c.source, c.partition, c.batch, c.start_offset, c.end_offset
        from {{source_ranges}} c
        where c.size_bytes is null
          and split_part(c.source, '{AGAIN}', 1) <> concat('{PREFIX}', {{{THIS_CUSTOMER}}})
        """
    ),
)

BUILDS_FOLLOW_EACH_OTHER = Fact(
    name="builds_follow_each_other",
    table="builds",
    meaning="No build was made with an older contract, policy or code than the build before it, "
    "and none has a number below 1.",
    query=query(
        """
        select b.build, b.contract_version, b.policy_version, b.code_version
        from (select t.build, t.contract_version, t.policy_version, t.code_version,
                     lag(t.contract_version) over (order by t.build) as contract_before,
                     lag(t.policy_version) over (order by t.build) as policy_before,
                     lag(t.code_version) over (order by t.build) as code_before
              from {builds} t) b
        where b.build < 1 or b.contract_version < b.contract_before
           or b.policy_version < b.policy_before or b.code_version < b.code_before
        """
    ),
)

REFUSED_BY_THE_CONTRACT_OF_THEIR_BUILD = Fact(
    name="messages_are_refused_by_the_contract_of_their_build",
    table="quarantined_messages",
    meaning="Every quarantined message was judged by the version of the message contract that its "
    "build was made with, says builds.",
    query=query(
        """
        select q.source, q.partition, q.offset, q.batch, q.build, q.contract_version,
               b.contract_version as contract_version_in_builds
        from {quarantined_messages} q
        join {builds} b on b.build = q.build
        where q.contract_version <> b.contract_version
        """
    ),
)

CLAIMS = (
    CLAIMS_FOLLOW_EACH_OTHER,
    BATCHES_FOLLOW_EACH_OTHER,
    TOPICS_ARE_THE_CUSTOMERS_OWN,
    BUILDS_FOLLOW_EACH_OTHER,
    REFUSED_BY_THE_CONTRACT_OF_THEIR_BUILD,
)
