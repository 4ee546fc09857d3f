"""What a step may replace: the pure decisions of storage.protocol, over every small case.

Belongs here: decisions from facts. Does not: tables and commits (`engine/test_writing.py`).
"""

from collections.abc import Iterator
from itertools import product

import pytest

from assess_assets.storage.protocol import (
    Place,
    Progress,
    Span,
    UpstreamNotReady,
    explode_span,
    parse_span,
    require_build,
    require_ranges,
)

CURRENT = 2  # the build of every step below
EMPTY = Progress()
TABLES = ("assessments", "quarantined_messages", "conflicting_assessments")


def at(batch: int, build: int = CURRENT, lowest: int | None = None) -> Progress:
    """A table with rows up to that batch, of that build or from a lower one on."""
    return Progress(10, build if lowest is None else lowest, build, batch)


def parsed(
    raw: int, ledger: Progress, tables: Progress | dict[str, Progress] = EMPTY, promised: int = 0
) -> Span:
    by_name = tables if isinstance(tables, dict) else dict.fromkeys(TABLES, tables)
    return parse_span("acme", CURRENT, raw, ledger, by_name, dict.fromkeys(by_name, promised))


def test_the_first_parse_takes_every_batch_there_is() -> None:
    assert parsed(3, EMPTY) == Span(CURRENT, after=0, upto=3)


def test_a_parse_takes_what_lies_between_the_ledger_and_raw_messages() -> None:
    for done, raw in product(range(1, 4), range(1, 4)):
        if raw >= done:
            span = parsed(raw, at(done), at(done))
            assert span == Span(CURRENT, after=done, upto=raw)
            assert span.is_empty == (raw == done)


def test_a_parse_has_nothing_to_do_without_messages() -> None:
    assert parsed(0, EMPTY).is_empty


def test_what_a_crash_left_beyond_the_ledger_is_replaced() -> None:
    span = parsed(2, at(1), at(2))
    assert (span.after, span.upto, span.rebuild) == (1, 2, False)


@pytest.mark.parametrize("left_behind", ["message_ledger", *TABLES])
def test_one_table_of_an_older_build_makes_all_four_be_rebuilt(left_behind: str) -> None:
    old = at(2, build=CURRENT - 1)
    tables = {name: old if name == left_behind else at(2) for name in TABLES}
    ledger = old if left_behind == "message_ledger" else at(2)
    assert parsed(2, ledger, tables) == Span(CURRENT, after=0, upto=2, rebuild=True)


def test_one_row_of_an_older_build_is_enough() -> None:
    assert parsed(2, at(2), at(2, lowest=1)).rebuild


def test_a_table_without_rows_is_of_no_build() -> None:
    assert not parsed(2, at(2), EMPTY).rebuild


def test_a_table_that_is_empty_although_the_ledger_promises_rows_is_rebuilt() -> None:
    assert parsed(2, at(2), EMPTY, promised=1).rebuild
    assert not parsed(2, at(2), at(2), promised=1).rebuild


@pytest.mark.parametrize("ahead", ["message_ledger", *TABLES])
def test_a_run_that_was_superseded_parses_nothing(ahead: str) -> None:
    newer = at(2, build=CURRENT + 1)
    tables = {name: newer if name == ahead else at(2) for name in TABLES}
    with pytest.raises(UpstreamNotReady, match=f"{ahead} hold rows of a build after 2"):
        parsed(2, newer if ahead == "message_ledger" else at(2), tables)


def test_a_parse_refuses_to_go_on_when_messages_were_taken_away() -> None:
    with pytest.raises(UpstreamNotReady, match="raw_messages ends at batch 1, and the ledger at 2"):
        parsed(1, at(2), at(2))
    with pytest.raises(UpstreamNotReady, match="Messages were taken away"):
        parsed(0, at(2, build=CURRENT - 1), at(2, build=CURRENT - 1))  # nor would a rebuild


def test_an_explosion_goes_from_its_own_last_batch_to_the_ledgers() -> None:
    for own, known in product(range(4), range(4)):
        ledger = at(known) if known else EMPTY
        span = explode_span("acme", CURRENT, ledger, at(own) if own else EMPTY)
        assert span == Span(CURRENT, after=own, upto=known)
        assert span.is_empty == (own >= known)


@pytest.mark.parametrize("own", [at(2, build=1), at(2, lowest=1)])
def test_an_explosion_of_an_older_build_is_rebuilt(own: Progress) -> None:
    assert explode_span("acme", CURRENT, at(3), own) == Span(CURRENT, 0, 3, rebuild=True)


def test_an_explosion_of_a_newer_build_is_left_alone() -> None:
    with pytest.raises(UpstreamNotReady, match="another run has superseded build 2"):
        explode_span("acme", CURRENT, at(2), at(2, build=3))


@pytest.mark.parametrize("ledger", [at(2, build=1), at(2, build=3), at(2, lowest=1)])
def test_an_upstream_of_another_build_stops_the_run(ledger: Progress) -> None:
    with pytest.raises(UpstreamNotReady, match="table message_ledger holds builds"):
        explode_span("acme", CURRENT, ledger, EMPTY)
    with pytest.raises(UpstreamNotReady, match=r"customer's build is 2\. Materialize"):
        require_build("acme", "questions", CURRENT, ledger)


def test_an_upstream_of_this_build_or_of_none_is_read() -> None:
    require_build("acme", "questions", CURRENT, at(2))
    require_build("acme", "questions", CURRENT, EMPTY)


def spans() -> Iterator[Span]:
    for after, upto in product(range(4), range(4)):
        yield Span(CURRENT, after, upto)
    for upto in range(4):
        yield Span(CURRENT, 0, upto, rebuild=True)


def holds(sql: str, build: int, batch: int) -> bool:
    """Whether a row's build and batch satisfy one of the few forms that bounds have."""
    return bool(eval(sql, {"__builtins__": {}}, {"build": build, "batch": batch}))


@pytest.mark.parametrize("span", list(spans()), ids=str)
def test_bounds_name_exactly_the_rows_that_are_replaced(span: Span) -> None:
    for build, batch in product((CURRENT - 1, CURRENT), range(1, 5)):
        replaced = holds(span.bounds, build, batch)
        read = holds(span.selection, build, batch)
        assert read == (span.after < batch <= span.upto)
        if span.rebuild:  # every row of an older build, also beyond the last batch
            assert replaced == (build < CURRENT or batch <= span.upto)
        else:
            assert replaced == read
        if build == CURRENT:
            assert not (read and not replaced)  # what is written lies within the bounds


A, B = (Place(batch, "a.ndjson", 0) for batch in (1, 2))


def test_what_is_landed_has_to_be_claimed_in_its_batch() -> None:
    require_ranges("acme", {A: 3, B: 6}, {A: 3, B: 4})
    require_ranges("acme", {A: 3, B: 6}, {})


@pytest.mark.parametrize(
    ("claimed", "told"),
    [
        ({A: 3}, "batch 2, and source_ranges claims none there"),
        ({A: 6}, "batch 2, and source_ranges claims none there"),
        ({A: 3, B: 5}, "batch 2, and source_ranges claims only those before 5"),
    ],
)
def test_messages_without_their_claim_are_named(claimed: dict[Place, int], told: str) -> None:
    with pytest.raises(UpstreamNotReady) as refused:
        require_ranges("acme", claimed, {A: 3, B: 6})
    assert f"messages of a.ndjson (partition 0) up to offset 5 in {told}. " in str(refused.value)
