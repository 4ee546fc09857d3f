"""Kinds whose bytes are no JSON object, or one that no engine can be trusted to read.

Belongs here: damage to a message as bytes. Does not: fields of a message that is one (`structure`,
`values`).
"""

from typing import Final

from assess_assets.messages import MAX_MESSAGE_BYTES, Rule
from assess_assets.sample.defects.kinds import ACCEPTED, Kinds, refused

KINDS: Final = Kinds()
NOT_JSON: Final = refused(Rule.NOT_JSON)
TOO_DEEP: Final = refused(Rule.NESTED_TOO_DEEP)


def _with_hint(message: bytes, hint: bytes) -> bytes:
    """The message with an unknown key in front, whose value is `hint` as it is."""
    return b'{"hint":' + hint + b"," + message[1:]


def _shadowed(message: bytes, value: bytes) -> bytes:
    """The message with a value in front that a later one of the same key replaces."""
    return b'{"exam_name":' + value + b"," + message[1:]


@KINDS.respell(NOT_JSON)
def not_json(_: bytes) -> bytes:
    """Some other text, such as an error page of a gateway."""
    return b"<html><body>502 Bad Gateway</body></html>"


@KINDS.respell(NOT_JSON)
def truncated(message: bytes) -> bytes:
    """The first half of a message."""
    return message[: len(message) // 2]


@KINDS.respell(refused(Rule.EMPTY_MESSAGE))
def empty(_: bytes) -> bytes:
    """No byte at all: a blank line."""
    return b""


@KINDS.respell(refused(Rule.EMPTY_MESSAGE))
def only_whitespace(_: bytes) -> bytes:
    """Blanks and tabs."""
    return b" \t "


@KINDS.respell(NOT_JSON)
def byte_order_mark(message: bytes) -> bytes:
    """EF BB BF before a message (at the beginning of a file it is harmless)."""
    return b"\xef\xbb\xbf" + message


@KINDS.respell(refused(Rule.NOT_UTF8))
def not_utf_8(message: bytes) -> bytes:
    """A name in Latin-1."""
    return message.replace(b'"exam_name":"', b'"exam_name":"Caf\xe9 ')


@KINDS.respell(refused(Rule.NOT_UTF8))
def half_a_surrogate_pair_in_utf_8(message: bytes) -> bytes:
    """A surrogate that was encoded alone."""
    return message.replace(b'"exam_name":"', b'"exam_name":"\xed\xa0\x80')


@KINDS.respell(NOT_JSON)
def half_a_surrogate_pair_as_escape(message: bytes) -> bytes:
    """An escape that stands for no character."""
    return message.replace(b'"exam_name":"', rb'"exam_name":"\ud800')


@KINDS.respell(NOT_JSON)
def nul_byte(message: bytes) -> bytes:
    """A zero byte before the message."""
    return b"\0" + message


@KINDS.respell(NOT_JSON)
def nul_byte_in_a_text(message: bytes) -> bytes:
    """A zero byte in a text, where JSON wants an escape."""
    return message.replace(b'"exam_name":"', b'"exam_name":"\0')


@KINDS.respell(ACCEPTED)
def nul_as_escape(message: bytes) -> bytes:
    r"""A text with \u0000: valid JSON, and kept."""
    return message.replace(b'"exam_name":"', rb'"exam_name":"\u0000')


@KINDS.respell(NOT_JSON)
def nan(message: bytes) -> bytes:
    """NaN in place of a number: no JSON."""
    return message.replace(b'"attempt":1', b'"attempt":NaN')


@KINDS.respell(NOT_JSON)
def infinity(message: bytes) -> bytes:
    """Infinity in place of a number: no JSON."""
    return message.replace(b'"attempt":1', b'"attempt":-Infinity')


@KINDS.respell(NOT_JSON)
def two_messages_on_a_line(message: bytes) -> bytes:
    """One line, two values."""
    return message + message


@KINDS.respell(refused(Rule.NOT_AN_OBJECT))
def top_level_array(message: bytes) -> bytes:
    """A message in brackets, on a line of its own."""
    return b"[" + message + b"]"


@KINDS.respell(refused(Rule.NOT_AN_OBJECT))
def top_level_text(_: bytes) -> bytes:
    """A text in place of a message."""
    return b'"an attempt"'


@KINDS.respell(refused(Rule.NOT_AN_OBJECT))
def top_level_number(_: bytes) -> bytes:
    """A number in place of a message."""
    return b"42"


@KINDS.respell(refused(Rule.NOT_AN_OBJECT))
def top_level_null(_: bytes) -> bytes:
    """null in place of a message."""
    return b"null"


@KINDS.respell(refused(Rule.MESSAGE_TOO_LARGE), is_large=True)
def value_of_20_mb(message: bytes) -> bytes:
    """An unknown key whose text is larger than any message may be."""
    assert MAX_MESSAGE_BYTES < 20_000_000
    return _with_hint(message, b'"' + b"x" * 20_000_000 + b'"')


@KINDS.respell(TOO_DEEP)
def nested_10_000_levels(message: bytes) -> bytes:
    """An unknown key with 10,000 levels of arrays."""
    return _with_hint(message, b"[" * 10_000 + b"]" * 10_000)


@KINDS.respell(TOO_DEEP)
def nested_10_000_levels_without_an_end(_: bytes) -> bytes:
    """Nothing but 10,000 open objects."""
    return b'{"a":' * 10_000


@KINDS.respell(TOO_DEEP)
def nested_200_levels(message: bytes) -> bytes:
    """Deeper than the limit of 100, though the validator could read it: an engine would not."""
    return _with_hint(message, b"[" * 200 + b"]" * 200)


@KINDS.respell(TOO_DEEP)
def nested_200_levels_where_a_later_key_counts(message: bytes) -> bytes:
    """The value of a repeated key that is not the last: dropped, but an engine stumbles over it."""
    return _shadowed(message, b"[" * 200 + b"]" * 200)


@KINDS.respell(ACCEPTED)
def nested_90_levels(message: bytes) -> bytes:
    """An unknown key with fewer levels than the limit: kept."""
    return _with_hint(message, b"[" * 90 + b"]" * 90)


@KINDS.respell(ACCEPTED)
def repeated_key(message: bytes) -> bytes:
    """Of a key that comes twice in an object, the last counts."""
    return _shadowed(message, b'"Another exam"')


@KINDS.respell(ACCEPTED)
def repeated_key_of_another_type_first(message: bytes) -> bytes:
    """The first of two values has a wrong type, but only the last counts."""
    return _shadowed(message, b'{"not":["a","name"]}')


@KINDS.respell(refused(Rule.WRONG_TYPE, "$.exam_name"))
def repeated_key_of_another_type_last(message: bytes) -> bytes:
    """The last of two values counts, and has a wrong type."""
    return message[:-1] + b',"exam_name":["not a name"]}'


@KINDS.respell(refused(Rule.OUT_OF_RANGE))
def number_beyond_a_double(message: bytes) -> bytes:
    """1e999 overflows a double."""
    return _with_hint(message, b"1e999")


@KINDS.respell(refused(Rule.OUT_OF_RANGE))
def number_of_400_digits(message: bytes) -> bytes:
    """Longer than 300 characters: an engine would read null."""
    return _with_hint(message, b"0." + b"1" * 400)


@KINDS.respell(refused(Rule.OUT_OF_RANGE))
def number_of_400_digits_where_a_later_key_counts(message: bytes) -> bytes:
    """The same in a value that is dropped."""
    return _shadowed(message, b"0." + b"1" * 400)


@KINDS.respell(refused(Rule.OUT_OF_RANGE))
def negative_zero(message: bytes) -> bytes:
    """-0 as a whole number: an engine would read null."""
    return message.replace(b'"attempt":1', b'"attempt":-0')


@KINDS.respell(refused(Rule.NOT_ALLOWED))
def key_of_2000_characters(message: bytes) -> bytes:
    """Longer than 1,000 characters."""
    return b'{"' + b"k" * 2_000 + b'":1,' + message[1:]
