"""All contracts, in the order in which data flows. Add a table: declare it, then name it here."""

from assess_assets.tables.attempts import ASSESSMENTS
from assess_assets.tables.contract import TableContract
from assess_assets.tables.detail import OPTIONS, QUESTIONS
from assess_assets.tables.exams import EXAM_COUNTS, EXAMS
from assess_assets.tables.fates import CONFLICTING_ASSESSMENTS, MESSAGE_LEDGER, QUARANTINED_MESSAGES
from assess_assets.tables.ingest import BUILDS, RAW_MESSAGES, SOURCE_RANGES
from assess_assets.tables.performance import EXAM_PERFORMANCE, QUESTION_DIFFICULTY
from assess_assets.tables.reports import CUSTOMER_OVERVIEW, CUSTOMER_REPORT

TABLES: tuple[TableContract, ...] = (
    SOURCE_RANGES,
    RAW_MESSAGES,
    BUILDS,
    ASSESSMENTS,
    QUARANTINED_MESSAGES,
    CONFLICTING_ASSESSMENTS,
    MESSAGE_LEDGER,
    QUESTIONS,
    OPTIONS,
    EXAMS,
    EXAM_COUNTS,
    EXAM_PERFORMANCE,
    QUESTION_DIFFICULTY,
    CUSTOMER_REPORT,
    CUSTOMER_OVERVIEW,
)

CUSTOMER_TABLES = tuple(table for table in TABLES if not table.shared)

# Those whose rows say which build they were made by.
MADE_BY_BUILD = tuple(
    table for table in CUSTOMER_TABLES if table is not BUILDS and "build" in table.column_names
)


def table_named(name: str) -> TableContract:
    """Raises KeyError, naming the tables there are."""
    for table in TABLES:
        if table.name == name:
            return table
    known = ", ".join(table.name for table in TABLES)
    raise KeyError(f"There is no table {name!r}. Tables: {known}.")
