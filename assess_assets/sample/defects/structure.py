"""Kinds whose fields are missing, null or of a wrong type, at each level of a message.

Belongs here: the shape of a message. Does not: contents (`values`), what may be left out
(`optional`).
"""

from typing import Final

from assess_assets.messages import Rule
from assess_assets.sample.defects.kinds import Kinds, counts, options, questions, refused
from assess_assets.sample.records import JsonObject

KINDS: Final = Kinds()
QUESTION: Final = "$.sequences.questions[0]"
OPTION: Final = f"{QUESTION}.options[0]"


@KINDS.edit(refused(Rule.MISSING_FIELD, "$.user_exam_id"))
def no_attempt_id(record: JsonObject) -> None:
    """A required key of the message is missing."""
    del record["user_exam_id"]


@KINDS.edit(refused(Rule.MISSING_FIELD, "$.sequences"))
def no_sequences(record: JsonObject) -> None:
    """A message without its detail."""
    del record["sequences"]


@KINDS.edit(refused(Rule.MISSING_FIELD, "$.sequences.questions"))
def no_questions_key(record: JsonObject) -> None:
    """A required key of sequences is missing."""
    del record["sequences"]["questions"]


@KINDS.edit(refused(Rule.MISSING_FIELD, "$.sequences.counts.total"))
def incomplete_counts(record: JsonObject) -> None:
    """Counts are absent as a whole, or complete."""
    del counts(record)["total"]


@KINDS.edit(refused(Rule.MISSING_FIELD, f"{QUESTION}.id"))
def question_without_id(record: JsonObject) -> None:
    """A required key of a question is missing."""
    del questions(record)[0]["id"]


@KINDS.edit(refused(Rule.MISSING_FIELD, f"{QUESTION}.options"))
def question_without_options_key(record: JsonObject) -> None:
    """No options, not even an empty list of them."""
    del questions(record)[0]["options"]


@KINDS.edit(refused(Rule.MISSING_FIELD, f"{OPTION}.checked"))
def option_without_checked(record: JsonObject) -> None:
    """A required key of an option is missing."""
    del options(record)[0]["checked"]


@KINDS.edit(refused(Rule.WRONG_TYPE, "$.exam_name"))
def null_name(record: JsonObject) -> None:
    """null in place of a text."""
    record["exam_name"] = None


@KINDS.edit(refused(Rule.WRONG_TYPE, "$.sequences"))
def null_sequences(record: JsonObject) -> None:
    """null in place of sequences."""
    record["sequences"] = None


@KINDS.edit(refused(Rule.WRONG_TYPE, "$.sequences.questions"))
def null_questions(record: JsonObject) -> None:
    """null in place of the list of questions."""
    record["sequences"]["questions"] = None


@KINDS.edit(refused(Rule.WRONG_TYPE, QUESTION))
def null_question(record: JsonObject) -> None:
    """null in place of a question."""
    questions(record)[0] = None  # type: ignore[call-overload]


@KINDS.edit(refused(Rule.WRONG_TYPE, f"{QUESTION}.options"))
def null_options(record: JsonObject) -> None:
    """null in place of the list of options."""
    questions(record)[0]["options"] = None


@KINDS.edit(refused(Rule.WRONG_TYPE, OPTION))
def null_option(record: JsonObject) -> None:
    """null in place of an option."""
    options(record)[0] = None  # type: ignore[call-overload]


@KINDS.edit(refused(Rule.WRONG_TYPE, "$.user_exam_id"))
def numeric_attempt_id(record: JsonObject) -> None:
    """A number in place of a text."""
    record["user_exam_id"] = 42


@KINDS.edit(refused(Rule.WRONG_TYPE, "$.keen_timestamp"))
def numeric_timestamp(record: JsonObject) -> None:
    """The source writes times as texts; a number would lose digits."""
    record["keen_timestamp"] = 1516743764.813107


@KINDS.edit(refused(Rule.WRONG_TYPE, "$.certification"))
def boolean_certification(record: JsonObject) -> None:
    """The source writes truth at this level as a text."""
    record["certification"] = True


@KINDS.edit(refused(Rule.WRONG_TYPE, "$.sequences"))
def sequences_in_a_list(record: JsonObject) -> None:
    """A list in place of an object."""
    record["sequences"] = [record["sequences"]]


@KINDS.edit(refused(Rule.WRONG_TYPE, "$.sequences.counts"))
def counts_in_a_list(record: JsonObject) -> None:
    """A list in place of the counts."""
    record["sequences"]["counts"] = [counts(record)]


@KINDS.edit(refused(Rule.WRONG_TYPE, "$.sequences.questions"))
def questions_by_number(record: JsonObject) -> None:
    """An object in place of a list."""
    record["sequences"]["questions"] = {str(i): each for i, each in enumerate(questions(record))}


@KINDS.edit(refused(Rule.WRONG_TYPE, QUESTION))
def textual_question(record: JsonObject) -> None:
    """A text in place of a question."""
    questions(record)[0] = "What is a commit?"  # type: ignore[call-overload]


@KINDS.edit(refused(Rule.WRONG_TYPE, f"{QUESTION}.user_correct"))
def textual_user_correct(record: JsonObject) -> None:
    """A text in place of a boolean, in a question."""
    questions(record)[0]["user_correct"] = "true"


@KINDS.edit(refused(Rule.WRONG_TYPE, OPTION))
def numeric_option(record: JsonObject) -> None:
    """A number in place of an option."""
    options(record)[0] = 1  # type: ignore[call-overload]


@KINDS.edit(refused(Rule.WRONG_TYPE, f"{OPTION}.checked"))
def textual_checked(record: JsonObject) -> None:
    """A text in place of a boolean, in an option."""
    options(record)[0]["checked"] = "yes"


@KINDS.edit(refused(Rule.WRONG_TYPE, "$.sequences.counts.total"))
def textual_count(record: JsonObject) -> None:
    """A text in place of a count."""
    counts(record)["total"] = "4"


@KINDS.edit(refused(Rule.WRONG_TYPE, "$.sequences.attempt"))
def fractional_attempt(record: JsonObject) -> None:
    """A fraction in place of a whole number."""
    record["sequences"]["attempt"] = 1.5
