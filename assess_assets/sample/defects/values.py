"""Kinds whose fields have the right type, but a content that the contract does not allow.

Belongs here: numbers, times, ids, names. Does not: shape (`structure`), spelling (`spelling`).
"""

from typing import Final

from assess_assets.messages import Rule
from assess_assets.sample.defects.kinds import Kinds, counts, options, questions, refused
from assess_assets.sample.records import JsonObject

KINDS: Final = Kinds()
AT: Final = "$.sequences.questions[0].options[0].at"


@KINDS.edit(refused(Rule.NOT_ALLOWED, "$.user_exam_id"))
def empty_attempt_id(record: JsonObject) -> None:
    """An empty text is no identity."""
    record["user_exam_id"] = ""


@KINDS.edit(refused(Rule.NOT_ALLOWED, "$.user_exam_id"))
def blank_attempt_id(record: JsonObject) -> None:
    """Nor are blanks, of whatever script."""
    record["user_exam_id"] = "\u2003 "


@KINDS.edit(refused(Rule.NOT_ALLOWED, "$.exam_name"))
def name_of_2000_characters(record: JsonObject) -> None:
    """Longer than 1,000 characters."""
    record["exam_name"] = "x" * 2_000


@KINDS.edit(refused(Rule.NOT_ALLOWED, "$.sequences.questions[0].user_result"))
def unknown_user_result(record: JsonObject) -> None:
    """A result that no figure would count."""
    questions(record)[0]["user_result"] = "skipped"


@KINDS.edit(refused(Rule.NOT_ALLOWED, "$.certification"))
def unknown_certification(record: JsonObject) -> None:
    """Neither true nor false."""
    record["certification"] = "maybe"


@KINDS.edit(refused(Rule.NOT_ALLOWED, "$.max_attempts"))
def max_attempts_in_words(record: JsonObject) -> None:
    """A text that is no decimal number."""
    record["max_attempts"] = "unlimited"


@KINDS.edit(refused(Rule.OUT_OF_RANGE, "$.sequences.counts.incorrect"))
def negative_count(record: JsonObject) -> None:
    """Fewer than none."""
    counts(record)["incorrect"] = -1


@KINDS.edit(refused(Rule.OUT_OF_RANGE, "$.sequences.counts.correct"))
def count_beyond_a_billion(record: JsonObject) -> None:
    """More than a table could add up."""
    counts(record)["correct"] = 1_000_000_001


@KINDS.edit(refused(Rule.OUT_OF_RANGE, "$.sequences.attempt"))
def integer_beyond_64_bits(record: JsonObject) -> None:
    """2^63 does not fit into a table's integer."""
    record["sequences"]["attempt"] = 2**63


@KINDS.edit(refused(Rule.OUT_OF_RANGE, "$.sequences.attempt"))
def integer_of_30_digits(record: JsonObject) -> None:
    """Nor does one that no machine word holds."""
    record["sequences"]["attempt"] = 10**29


@KINDS.edit(refused(Rule.BAD_TIMESTAMP, "$.started_at"))
def start_in_words(record: JsonObject) -> None:
    """A text that is no time."""
    record["started_at"] = "yesterday"


@KINDS.edit(refused(Rule.BAD_TIMESTAMP, "$.started_at"))
def start_without_offset(record: JsonObject) -> None:
    """A time that could be anywhere."""
    record["started_at"] = "2018-02-05T08:00:00"


@KINDS.edit(refused(Rule.BAD_TIMESTAMP, "$.started_at"))
def start_not_in_the_calendar(record: JsonObject) -> None:
    """February 30th."""
    record["started_at"] = "2018-02-30T08:00:00Z"


@KINDS.edit(refused(Rule.OUT_OF_RANGE, "$.started_at"))
def start_before_1970(record: JsonObject) -> None:
    """A clock that was never set."""
    record["started_at"] = "0001-01-01T00:00:00Z"


@KINDS.edit(refused(Rule.OUT_OF_RANGE, "$.started_at"))
def start_after_2199(record: JsonObject) -> None:
    """A time in a far future."""
    record["started_at"] = "9999-12-31T23:59:59Z"


@KINDS.edit(refused(Rule.BAD_TIMESTAMP, AT))
def tick_in_words(record: JsonObject) -> None:
    """The same of an option's time."""
    options(record)[0]["at"] = "soon"


@KINDS.edit(refused(Rule.OUT_OF_RANGE, AT))
def tick_before_1970(record: JsonObject) -> None:
    """The same of an option's time."""
    options(record)[0]["at"] = "1969-12-31T23:59:59.999Z"


@KINDS.edit(refused(Rule.BAD_TIMESTAMP, "$.keen_timestamp"))
def epoch_in_words(record: JsonObject) -> None:
    """Epoch seconds are digits with a point."""
    record["keen_timestamp"] = "1.5e9"


@KINDS.edit(refused(Rule.OUT_OF_RANGE, "$.keen_created_at"))
def epoch_in_milliseconds(record: JsonObject) -> None:
    """Seconds were meant: the year would be 50,000 or so."""
    record["keen_created_at"] = "1516743764813"


@KINDS.edit(refused(Rule.REPEATED_QUESTION_ID, "$.sequences.questions[1].id"))
def repeated_question_id(record: JsonObject) -> None:
    """Two questions of an attempt with one id."""
    questions(record)[1]["id"] = questions(record)[0]["id"]


@KINDS.edit(refused(Rule.REPEATED_OPTION_ID, "$.sequences.questions[0].options[1].id"))
def repeated_option_id(record: JsonObject) -> None:
    """Two options of a question with one id."""
    options(record)[1]["id"] = options(record)[0]["id"]
