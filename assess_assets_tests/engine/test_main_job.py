"""The main job: landed files become tables, exactly once."""

import json
from collections import Counter
from typing import Any

from assess_assets.sample.messy import messy_lines


def _delivery() -> tuple[str, list[Any]]:
    lines = messy_lines()
    return "\n".join(line.text for line in lines) + "\n", lines


def test_every_message_of_a_messy_delivery_has_the_fate_it_was_made_for(platform: Any) -> None:
    text, lines = _delivery()
    platform.land("globex", "delivery.ndjson", text)
    assert platform.materialize("globex").success
    ledger = platform.rows("message_ledger", "globex", "offset", "fate")
    assert [row["fate"] for row in ledger] == [line.fate for line in lines]
    fates = Counter(line.fate for line in lines)
    assert len(platform.rows("assessments", "globex", "offset")) == fates["accepted"]
    assert len(platform.rows("quarantined_messages", "globex", "offset")) == fates["quarantined"]
    assert len(platform.rows("conflicting_assessments", "globex", "offset")) == fates["conflict"]


def test_a_second_run_with_nothing_new_writes_no_version_of_any_table(platform: Any) -> None:
    platform.land("globex", "delivery.ndjson", _delivery()[0])
    platform.materialize("globex")
    before = platform.versions("globex")
    platform.materialize("globex")
    assert platform.versions("globex") == before


def test_raw_messages_keep_the_bytes(platform: Any) -> None:
    text, lines = _delivery()
    platform.land("globex", "delivery.ndjson", text)
    platform.materialize("globex")
    raw = platform.rows("raw_messages", "globex", "value")
    assert [bytes(row["value"]).decode() for row in raw] == [line.text for line in lines]


def test_questions_and_options_are_those_of_the_accepted_messages(platform: Any) -> None:
    text, lines = _delivery()
    platform.land("globex", "delivery.ndjson", text)
    platform.materialize("globex")
    expected_questions, expected_options = [], []
    for line in lines:
        if line.fate != "accepted":
            continue
        for i, question in enumerate(json.loads(line.text)["sequences"]["questions"]):
            expected_questions.append((line.index, i, question["id"], question["user_result"]))
            expected_options += [
                (line.index, i, j, option["id"], option["checked"], option.get("correct"))
                for j, option in enumerate(question["options"])
            ]
    questions = platform.rows("questions", "globex", "offset", "position", "question_id", "result")
    assert [tuple(row.values()) for row in questions] == expected_questions
    columns = ("offset", "question_position", "position", "option_id", "checked", "correct")
    options = platform.rows("options", "globex", *columns)
    assert [tuple(row.values()) for row in options] == expected_options


def test_an_empty_customer_gets_empty_tables(platform: Any) -> None:
    platform.register("nobody")
    assert platform.materialize("nobody").success
    assert platform.rows("assessments", "nobody") == []
    assert platform.rows("exam_counts", "nobody") == []
