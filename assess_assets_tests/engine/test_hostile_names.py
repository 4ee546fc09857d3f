"""Customers, files and values with names that nobody would choose on purpose, through a whole run.

Belongs here: one run of everything for all of them, and where it wrote. Does not: keys as such
(`unit/test_customer_names`), what readers of tables may type (`test_cli_tables`).
"""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from assess_assets.customer_names import decode_customer, encode_customer
from assess_assets.tables.registry import CUSTOMER_TABLES
from assess_assets_tests.deliveries import lines, message
from assess_assets_tests.steps import Steps

SQL = "'; drop table assessments; --"
NAMES = [
    "acme",
    "ACME",
    "Acme",
    "..",
    "../../etc/passwd",
    "a/b",
    "a,b",
    "a\nb",
    "_platform",
    SQL,
    "${HOME} $(reboot) `id`",
    "é",
    "e\u0301",
    "а",  # Cyrillic
    "a" * 120,
]
FILES = ["a,b.ndjson", "'; drop table raw_messages; --.ndjson", 'a\nb "${HOME}" %2f\\.ndjson']
VALUES = [
    "'; drop table options; --",
    '"`\\',
    "../../x",
    "a,b\n\t",
    "${HOME}",
    "%s {0} {x}",
    "null",
]


@pytest.fixture(scope="module")
def made(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Steps]:
    """Each customer has a file, and two of them files and values with odd names; one root."""
    folder = tmp_path_factory.mktemp("hostile")
    customers = {name: Steps(spark, folder, customer=encode_customer(name)) for name in NAMES}
    for name, steps in customers.items():
        steps.land("own.ndjson", lines(message(f"of {name}")))
    for number, file in enumerate(FILES):
        customers[".."].land(file, lines(message(f"file {number}")))
    values = [message(f"{value} as id") | {"exam_name": value} for value in VALUES]
    customers[SQL].land("values.ndjson", lines(*values))
    for name, steps in customers.items():
        if name in ("..", SQL):
            steps.run()
        else:
            steps.stop_before("questions")
    return customers


def test_every_customer_has_its_own_attempts_and_nobody_elses(made: dict[str, Steps]) -> None:
    extra = {
        "..": {f"file {number}" for number in range(len(FILES))},
        SQL: {f"{value} as id" for value in VALUES},
    }
    for name, steps in made.items():
        found = set(steps.values("assessments", "user_exam_id"))
        assert found == {f"of {name}"} | extra.get(name, set())


def test_nothing_is_written_but_the_tables_of_these_keys(made: dict[str, Steps]) -> None:
    folder = made["acme"].folder
    keys = {steps.customer for steps in made.values()}
    assert names_in(folder) == {"lake", "landing"}
    assert names_in(folder / "lake") == names_in(folder / "landing") == keys
    for key in keys:
        assert names_in(folder / "lake" / key) <= {table.name for table in CUSTOMER_TABLES}
    assert names_in(folder / "landing" / made[".."].customer) == {*FILES, "own.ndjson"}


def test_names_that_differ_in_case_or_form_alone_have_keys_that_differ_when_case_is_folded(
    made: dict[str, Steps],
) -> None:
    keys = [steps.customer for steps in made.values()]
    assert len({key.casefold() for key in keys}) == len(NAMES)
    assert [decode_customer(key) for key in keys] == NAMES


@pytest.mark.parametrize("table", ["source_ranges", "raw_messages", "message_ledger", "options"])
def test_a_files_name_comes_through_as_it_is(made: dict[str, Steps], table: str) -> None:
    assert set(made[".."].values(table, "source")) == {*FILES, "own.ndjson"}


@pytest.mark.parametrize("table", ["assessments", "options", "exam_counts", "exam_performance"])
def test_a_value_comes_through_as_it_is(made: dict[str, Steps], table: str) -> None:
    assert set(made[SQL].values(table, "exam_name")) == {*VALUES, "Learning Git"}


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
