"""Facts about messages: what was claimed was landed, and every message has exactly one fate.

A file has a message at each offset of a range. A topic has at most one: transaction markers and
compaction leave offsets without a message. How many it served is counted once they have landed, and
must stay so; that none was skipped is proved where it can be, while reading
(`sources/kafka_reading`). Each message of raw_messages is balanced against the ledger, exactly.

The ledger's highest batch is its watermark: what lies beyond is not parsed yet, or will be again.
"""

from assess_assets.checks.facts import Fact, named, query, same_message, where_it_is
from assess_assets.messages.rules import Rule

_END_OF_TIME = "9223372036854775807"
# An emptied ledger has no watermark: then nothing is excused.
WATERMARK = f"(select coalesce(max(w.batch), {_END_OF_TIME}) from {{message_ledger}} w)"

CLAIMED_RANGES_ARE_LANDED = Fact(
    name="claimed_ranges_are_landed",
    table="raw_messages",
    meaning="Every range that a batch claimed to read has as many messages in raw_messages as "
    "source_ranges says: of a file as many as offsets, or none if they were given up; of a topic "
    "never more.",
    query=query(
        """
        select c.source, c.partition, c.batch, c.start_offset, c.end_offset,
               c.messages, count(r.offset) as landed
        from {source_ranges} c
        left join {raw_messages} r
          on r.source = c.source and r.partition = c.partition and r.batch = c.batch
         and r.offset >= c.start_offset and r.offset < c.end_offset
        left join {source_ranges} l
          on l.kind = 'lost' and l.source = c.source and l.identity = c.identity
         and l.partition = c.partition
         and l.start_offset <= c.start_offset and l.end_offset >= c.end_offset
        where c.kind = 'read'
        group by c.source, c.partition, c.batch, c.start_offset, c.end_offset, c.messages,
                 c.size_bytes
        having count(r.offset) > c.end_offset - c.start_offset
            or count(r.offset) <> c.messages
            or (c.size_bytes is not null and c.messages <> case
                when count(l.source) > 0 then 0 else c.end_offset - c.start_offset end)
        """
    ),
)

_OF_A_FILE = "c.size_bytes is not null"
_OF_CLAIMS = named(
    [
        ("claim", "c.source is null"),
        ("ingested_at", "r.ingested_at <> c.claimed_at"),
        ("timestamp", f"{_OF_A_FILE} and r.timestamp is distinct from c.source_timestamp"),
        *(
            (name, f"{_OF_A_FILE} and r.{name} is not null")
            for name in ("timestamp_type", "key", "headers")
        ),
    ]
)

LANDED_MESSAGES_WERE_CLAIMED = Fact(
    name="landed_messages_were_claimed",
    table="raw_messages",
    meaning="Every message of raw_messages lies in a range that its batch claimed to read, and has "
    "its time; and of a file the file's time, and nothing that only Kafka has.",
    query=query(
        f"""
        select f.source, f.partition, f.offset, f.batch, f.differs
        from (select {where_it_is("r")}, {_OF_CLAIMS} as differs
              from {{raw_messages}} r
              left join {{source_ranges}} c
                on c.kind = 'read' and c.batch = r.batch
               and c.source = r.source and c.partition = r.partition
               and r.offset >= c.start_offset and r.offset < c.end_offset) f
        where f.differs <> ''
        """
    ),
)

EVERY_MESSAGE_HAS_ONE_FATE = Fact(
    name="every_message_has_one_fate",
    table="message_ledger",
    meaning="Every message up to the ledger's last batch has one row in the ledger, and every row "
    "of the ledger has its message.",
    query=query(
        f"""
        select coalesce(r.source, l.source) as source,
               coalesce(r.partition, l.partition) as partition,
               coalesce(r.offset, l.offset) as offset,
               coalesce(r.batch, l.batch) as batch,
               coalesce(r.messages, 0) as messages, coalesce(l.fates, 0) as fates
        from (select m.source, m.partition, m.offset, m.batch, count(*) as messages
              from {{raw_messages}} m where m.batch <= {WATERMARK}
              group by m.source, m.partition, m.offset, m.batch) r
        full outer join
             (select f.source, f.partition, f.offset, f.batch, count(*) as fates
              from {{message_ledger}} f
              group by f.source, f.partition, f.offset, f.batch) l
          on {same_message("l", "r")} and l.batch = r.batch
        where coalesce(r.messages, 0) <> 1 or coalesce(l.fates, 0) <> 1
        """
    ),
)


def _kept(fate: str, table: str) -> str:
    return f"select '{fate}' as fate, {where_it_is('t')} from {{{table}}} t"


FATES_MATCH_THEIR_TABLES = Fact(
    name="fates_match_their_tables",
    table="message_ledger",
    meaning="Every accepted, quarantined or conflicting message is in the table of its fate, and "
    "nothing else is in there.",
    query=query(
        f"""
        select coalesce(l.source, k.source) as source,
               coalesce(l.partition, k.partition) as partition,
               coalesce(l.offset, k.offset) as offset,
               coalesce(l.batch, k.batch) as batch,
               coalesce(l.fate, 'another') as fate_in_ledger,
               coalesce(k.fate, 'none') as kept_as
        from (select f.fate, {where_it_is("f")} from {{message_ledger}} f
              where f.fate <> 'duplicate') l
        full outer join
             ({_kept("accepted", "assessments")} union all
              {_kept("quarantined", "quarantined_messages")} union all
              {_kept("conflict", "conflicting_assessments")}) k
          on {same_message("k", "l")} and k.batch = l.batch and k.fate = l.fate
        where (l.fate is null or k.fate is null)
          and coalesce(l.batch, k.batch) <= {WATERMARK}
        """
    ),
)

QUARANTINED_MESSAGES_ARE_WHOLE = Fact(
    name="quarantined_messages_are_whole",
    table="quarantined_messages",
    meaning="Every quarantined message breaks a rule of the message contract, and its bytes are "
    "kept, if the source had any.",
    query=query(
        f"""
        select {where_it_is("q")}, q.rule, q.value is null as has_no_value
        from {{quarantined_messages}} q
        where q.rule not in ({", ".join(f"'{rule}'" for rule in Rule)})
           or (q.value is null
               and q.rule not in ('{Rule.EMPTY_MESSAGE}', '{Rule.UNREADABLE_SOURCE}'))
        """
    ),
)

BALANCE = (
    CLAIMED_RANGES_ARE_LANDED,
    LANDED_MESSAGES_WERE_CLAIMED,
    EVERY_MESSAGE_HAS_ONE_FATE,
    FATES_MATCH_THEIR_TABLES,
    QUARANTINED_MESSAGES_ARE_WHOLE,
)
