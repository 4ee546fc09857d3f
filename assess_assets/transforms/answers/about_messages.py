"""Answers about messages: what became of each, and how many attempts they make."""

from assess_assets.transforms.answers.answer import Answer, Field, Section
from assess_assets.transforms.answers.figures import Figures
from assess_assets.transforms.answers.tabular import counted, counted_fields, numbered, share


def about_messages(figures: Figures) -> Section:
    fates, sums = figures.fates.fates, figures.attempts.whole
    attempts, sent = sums.by_attempt["attempts"], sums.by_message["attempts"]
    return Section(
        "messages",
        "From messages to attempts",
        (
            Answer(
                "messages",
                "How many messages were read?",
                "Rows of message_ledger: every message that was read has exactly one fate.",
                unit="messages",
                by_message=figures.fates.messages,
            ),
            Answer(
                "attempts",
                "How many attempts are there?",
                "By attempt: sittings of an exam, each identity once. By message: accepted "
                "messages and identical copies of them.",
                unit="attempts",
                by_message=sent,
                by_attempt=attempts,
            ),
            Answer(
                "test_attempts",
                "How many of them are test data?",
                "Attempts at a base exam id that the customer's policy names as test data.",
                "Test data only.",
                "attempts",
                sums.by_message["test"],
                sums.by_attempt["test"],
            ),
            Answer(
                "repeated",
                "How many attempts were sent more than once?",
                "By attempt: attempts with an identical copy. By message: all messages of these "
                "attempts, first ones included.",
                unit="attempts",
                by_message=sums.by_message["repeated"],
                by_attempt=sums.by_attempt["repeated"],
            ),
            Answer(
                "messages_per_attempt",
                "How often was an attempt sent, on average?",
                "Accepted messages and identical copies of them / attempts.",
                unit="messages",
                by_attempt=sent / attempts if attempts else None,
            ),
            Answer(
                "duplicates",
                "How many messages repeat one that was seen before?",
                "Messages with fate duplicate: later messages of a content already seen for the "
                "attempt, copies of conflicting contents among them.",
                unit="messages",
                by_message=fates["duplicate"],
            ),
            Answer(
                "conflicts",
                "How many messages contradict an earlier one?",
                "Messages with fate conflict: the first of each other content for a known attempt.",
                unit="messages",
                by_message=fates["conflict"],
            ),
            Answer(
                "quarantined",
                "How many messages were refused?",
                "Messages with fate quarantined: not readable, or against the message contract.",
                unit="messages",
                by_message=fates["quarantined"],
            ),
            _waterfall(figures),
            Answer(
                "reasons",
                "Why were messages refused?",
                "Quarantined messages by the name of the first rule that they break.",
                fields=(Field("rule", "Rule"), Field("messages", "Messages")),
                rows=tuple(
                    {"rule": rule, "messages": messages}
                    for rule, messages in figures.fates.reasons.items()
                ),
            ),
            Answer(
                "times_sent",
                "How many attempts were sent once, twice, ...?",
                "Attempts by the number of their accepted message and its identical copies.",
                fields=counted_fields("Times sent"),
                rows=counted(numbered(figures.breakdowns["sent"])),
            ),
        ),
    )


def _waterfall(figures: Figures) -> Answer:
    """Messages read, what each fate takes away, and the attempts that are left."""
    fates, read = figures.fates.fates, figures.fates.messages
    left, rows = read, []
    for fate in ("quarantined", "conflict", "duplicate"):
        left -= fates[fate]
        rows.append((f"less {fate}", fates[fate], left))
    steps = [("messages read", read, read), *rows, ("accepted: attempts", left, left)]
    return Answer(
        "fates",
        "What became of every message?",
        "Messages of message_ledger by fate. The accepted ones are the attempts: the first "
        "message of each.",
        fields=(
            Field("step", "Step"),
            Field("messages", "Messages"),
            Field("share", "Share", "percent"),
            Field("left", "Left"),
        ),
        rows=tuple(
            {"step": step, "messages": messages, "share": share(messages, read), "left": remaining}
            for step, messages, remaining in steps
        ),
    )
