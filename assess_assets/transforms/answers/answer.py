"""What an answer is: values by message and by attempt, with the definition they were counted by.

Belongs here: plain, typed structures that turn into JSON as they are. Which answers there are is
in the modules beside this one; how they look is in `reports`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

# Times are ISO 8601 texts in UTC, so that everything here is JSON already.
Value: TypeAlias = bool | int | float | str | None
Row: TypeAlias = Mapping[str, Value]

EVERYTHING = "None; test data is included."
SCORED = "Only attempts with a score: the message reports counts, of at least one question."
NO_TEST = "Without test data (base exam ids that the customer's policy names)."


@dataclass(frozen=True)
class Field:
    """One column of a tabular answer; `by_message` names its twin in the other counting."""

    name: str
    title: str
    unit: str = ""
    by_message: str | None = None


@dataclass(frozen=True)
class Answer:
    """One answer. `by_message` weighs an attempt by how often it was sent, `by_attempt` by one.

    None is "this cannot be counted so", or that there is nothing to count. A tabular answer has
    `fields` and `rows` instead.
    """

    name: str
    question: str
    definition: str
    filter: str = EVERYTHING
    unit: str = ""
    by_message: Value = None
    by_attempt: Value = None
    fields: tuple[Field, ...] = ()
    rows: tuple[Row, ...] = ()

    @property
    def is_table(self) -> bool:
        return bool(self.fields)

    def as_json(self, most: int | None = None) -> dict[str, Any]:
        told: dict[str, Any] = {
            "name": self.name,
            "question": self.question,
            "definition": self.definition,
            "filter": self.filter,
        }
        if self.is_table:
            columns = [asdict(field) for field in self.fields]
            return {**told, "columns": columns, "rows": [dict(row) for row in self.rows[:most]]}
        values = {"by_message": self.by_message, "by_attempt": self.by_attempt}
        return {**told, "unit": self.unit, **values}


@dataclass(frozen=True)
class Section:
    """Answers that belong together."""

    name: str
    title: str
    answers: tuple[Answer, ...]

    @property
    def values(self) -> list[Answer]:
        return [answer for answer in self.answers if not answer.is_table]

    @property
    def tables(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.is_table]


@dataclass(frozen=True)
class Answers:
    """All answers of one customer, made from tables of one build up to one batch."""

    customer: str
    build: int
    batch: int
    exam: str | None
    sections: tuple[Section, ...]

    def __getitem__(self, name: str) -> Answer:
        """The answer of that name; raises KeyError."""
        for section in self.sections:
            for answer in section.answers:
                if answer.name == name:
                    return answer
        raise KeyError(name)

    def as_json(self, most: int | None = None) -> dict[str, Any]:
        """`most` rows of each table; None is all."""
        return {
            "customer": self.customer,
            "build": self.build,
            "batch": self.batch,
            "exam": self.exam,
            "answers": [
                {"section": section.name, **answer.as_json(most)}
                for section in self.sections
                for answer in section.answers
            ],
        }
