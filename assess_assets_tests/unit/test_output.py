"""Rows on a screen: every column has what it needs while there is room, the widest is cut first."""

import pytest

from assess_assets.cli.output import PIPED_WIDTH, print_rows

UUID = "0ea2c4fc-ec7f-4a8a-8c38-0d2a4b6b2a53"


def printed(
    capsys: pytest.CaptureFixture[str], columns: list[str], *rows: tuple[object, ...]
) -> list[str]:
    print_rows(columns, rows)
    return capsys.readouterr().out.splitlines()


def test_a_long_value_is_whole_where_it_fits(capsys: pytest.CaptureFixture[str]) -> None:
    found = "x" * 100 + "!"
    lines = printed(capsys, ["rule", "path", "found"], ("late", "$.questions[0].options", found))
    assert lines[2].split() == ["late", "$.questions[0].options", found]


def test_the_widest_column_is_cut_first(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, ["a", "b", "c"], ("x" * 50, "y" * 3000, "z" * 30))
    first, widest, last = lines[2].split()
    assert (first, last) == ("x" * 50, "z" * 30)
    assert widest == "y" * 73 + "…"
    assert len(lines[2]) == PIPED_WIDTH


def test_columns_that_would_be_cut_below_a_uuid_are_named_instead(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = printed(capsys, list("abcdefg"), tuple([UUID] * 7))
    assert lines[2].split() == [UUID] * 4
    assert lines[-1] == "+ 3 more columns: e, f, g"


def test_what_is_wide_on_a_screen_or_escaped_is_measured_as_it_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = printed(capsys, ["name", "control"], ("試" * 30, "\x1b" * 30))
    assert lines[2].split() == ["試" * 30, "\\x1b" * 24 + "…"]


def test_a_table_without_rows_has_its_heads(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, ["customer", "messages"])[0].split() == ["customer", "messages"]
