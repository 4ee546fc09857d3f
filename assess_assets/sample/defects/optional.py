"""Kinds that look wrong and are accepted, because the contract leaves it open.

Belongs here: odd but lawful messages; what tables say of them is docs/semantics.md's. Does not:
anything that is refused.
"""

from typing import Final

from assess_assets.sample.defects.kinds import ACCEPTED, Kinds, counts, options, questions
from assess_assets.sample.records import JsonObject

KINDS: Final = Kinds()


@KINDS.edit(ACCEPTED)
def no_counts(record: JsonObject) -> None:
    """Reported counts are null."""
    del record["sequences"]["counts"]


@KINDS.edit(ACCEPTED)
def null_counts(record: JsonObject) -> None:
    """The same as none."""
    record["sequences"]["counts"] = None


@KINDS.edit(ACCEPTED)
def counts_that_contradict_the_detail(record: JsonObject) -> None:
    """Both are kept; the column mismatch says so."""
    total = counts(record)["total"]
    counts(record).update(correct=total + 1, incorrect=0, all_correct=True)


@KINDS.edit(ACCEPTED)
def no_questions(record: JsonObject) -> None:
    """An attempt with an empty list of questions."""
    record["sequences"]["questions"] = []


@KINDS.edit(ACCEPTED)
def question_with_no_options(record: JsonObject) -> None:
    """Its computed result is null."""
    questions(record)[0]["options"] = []


@KINDS.edit(ACCEPTED)
def no_certification(record: JsonObject) -> None:
    """Not said."""
    del record["certification"]


@KINDS.edit(ACCEPTED)
def unknown_key_of_the_message(record: JsonObject) -> None:
    """Kept in unmapped, by its path, as are the next ones."""
    record["proctor"] = {"name": "none", "version": 3}


@KINDS.edit(ACCEPTED)
def unknown_key_of_sequences(record: JsonObject) -> None:
    """One level deeper."""
    record["sequences"]["seed"] = 17


@KINDS.edit(ACCEPTED)
def unknown_key_of_counts(record: JsonObject) -> None:
    """In the counts."""
    counts(record)["skipped"] = 0


@KINDS.edit(ACCEPTED)
def unknown_key_of_a_question(record: JsonObject) -> None:
    """In a question."""
    questions(record)[0]["weight"] = 2.5


@KINDS.edit(ACCEPTED)
def unknown_key_of_an_option(record: JsonObject) -> None:
    """In an option, with a name that is no identifier."""
    options(record)[0]["a.b ['c']"] = None


@KINDS.edit(ACCEPTED)
def time_finer_than_microseconds(record: JsonObject) -> None:
    """The column has microseconds; the whole text is kept in unmapped."""
    record["started_at"] = "2018-02-05T08:00:00.123456789Z"


@KINDS.edit(ACCEPTED)
def time_in_another_zone(record: JsonObject) -> None:
    """The same instant in UTC."""
    record["started_at"] = "2018-02-05T13:30:00+05:30"


@KINDS.edit(ACCEPTED)
def texts_that_look_like_code(record: JsonObject) -> None:
    """Values are never part of a query, a path or a page."""
    record["exam_name"] = "'; drop table assessments; -- ${HOME} <script> ../../etc/passwd,\n\0"
