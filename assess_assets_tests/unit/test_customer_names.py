"""Names to keys and back, for names that nobody would choose on purpose."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from assess_assets.customer_names import (
    MAX_KEY_LENGTH,
    CustomerNameRefused,
    InvalidCustomerKey,
    decode_customer,
    encode_customer,
    require_customer_key,
)

# At most 40 bytes, as each takes up to three characters of a key.
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=10)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("acme", "acme"),
        ("acme-2", "acme-2"),
        ("42", "42"),
        ("Acme & Co", "_41cme_20_26_20_43o"),
        ("ACME", "_41_43_4d_45"),
        ("a_b", "a_5fb"),
        ("a.b", "a_2eb"),
        ("a,b", "a_2cb"),
        ("a=b", "a_3db"),
        ("..", "_2e_2e"),
        ("../etc/passwd", "_2e_2e_2fetc_2fpasswd"),
        ("c:\\temp", "c_3a_5ctemp"),
        ("-rf", "_2drf"),
        ("-", "_2d"),
        ("a-", "a-"),
        (" ", "_20"),
        ("\0", "_00"),
        ("'; drop table x; --", "_27_3b_20drop_20table_20x_3b_20--"),
        ("$(reboot)", "_24_28reboot_29"),
        ("é", "_c3_a9"),
        ("株式会社", "_e6_a0_aa_e5_bc_8f_e4_bc_9a_e7_a4_be"),
        ("con", "_63on"),
        ("CON", "_43_4f_4e"),
        ("nul", "_6eul"),
        ("com1", "_63om1"),
        ("lpt9", "_6cpt9"),
        ("con1", "con1"),
        ("console", "console"),
        ("a" * 120, "a" * 120),
        ("A" * 40, "_41" * 40),
    ],
)
def test_a_name_has_exactly_this_key_and_the_key_leads_back(name: str, key: str) -> None:
    assert encode_customer(name) == key
    assert decode_customer(key) == name
    assert require_customer_key(key) == key


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "A customer's name is empty."),
        ("a" * 121, "'aaa.*' is too long: its key would have 121 characters, and 120"),
        ("A" * 41, "is too long: its key would have 123 characters, and 120"),
        ("-" + "a" * 118, "is too long: its key would have 121 characters, and 120"),
        ("ab\ud800", r"'ab\\ud800' can't be written as UTF-8: character 2 is half of"),
    ],
)
def test_a_name_that_no_key_can_stand_for_is_refused_with_the_reason(name: str, says: str) -> None:
    with pytest.raises(CustomerNameRefused, match=says):
        encode_customer(name)


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("", "'' is not a customer key: keys hold only"),
        ("Acme", "keys hold only"),
        ("a b", "keys hold only"),
        ("a/b", "keys hold only"),
        ("..", "keys hold only"),
        ("a\n", "keys hold only"),
        ("a_", "keys hold only"),
        ("a_4", "keys hold only"),
        ("a_4G", "keys hold only"),
        ("_4D", "keys hold only"),
        ("é", "keys hold only"),
        ("_ff", "'_ff' is not a customer key: 'utf-8' codec can't decode"),
        ("_ed_a0_80", "is not a customer key: 'utf-8' codec can't decode"),
        ("_61cme", "the customer 'acme' has the key 'acme'"),
        ("-a", "the customer '-a' has the key '_2da'"),
        ("con", "the customer 'con' has the key '_63on'"),
        ("a" * 121, "is too long"),
    ],
)
def test_what_is_no_customers_key_is_refused_with_the_reason(key: str, says: str) -> None:
    with pytest.raises(InvalidCustomerKey, match=re.escape(says)):
        require_customer_key(key)
    with pytest.raises(InvalidCustomerKey, match=re.escape(says)):
        decode_customer(key)


@given(names)
def test_every_name_comes_back_from_its_key(name: str) -> None:
    assert decode_customer(encode_customer(name)) == name


@given(names)
def test_keys_keep_to_their_alphabet_start_and_length(name: str) -> None:
    key = encode_customer(name)
    assert re.fullmatch(r"[a-z0-9_][a-z0-9_-]*", key)
    assert len(key) <= MAX_KEY_LENGTH
    assert not re.fullmatch(r"con|prn|aux|nul|(com|lpt)\d", key)


@given(names, names)
def test_two_names_never_share_a_key_even_where_case_is_folded(one: str, other: str) -> None:
    assume(one != other)
    assert encode_customer(one).casefold() != encode_customer(other).casefold()


@given(names)
def test_upper_and_lower_case_of_a_name_are_two_customers(name: str) -> None:
    assume(name.upper() != name.lower())
    assert encode_customer(name.upper()).upper() != encode_customer(name.lower()).upper()


@given(st.text(max_size=20) | st.text("abcdef0123456789_-", max_size=20))
def test_any_text_is_either_a_key_with_one_name_or_refused(text: str) -> None:
    try:
        name = decode_customer(text)
    except InvalidCustomerKey:
        return
    assert encode_customer(name) == text
