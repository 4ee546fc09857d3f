"""A customer's name as a key: partition, folder and Kafka topic suffix are all this one text.

Belongs here: the only code that builds, reads or checks such keys. Not here: which customers there
are, their settings, and paths, which storage/ builds from keys.

Names come from data, so anything may be in them. A key holds a-z, 0-9 and "-" as they are, and
every other byte of the name's UTF-8 as "_" and two hex digits: "Acme & Co" becomes
`_41cme_20_26_20_43o`. That is reversible, free of collisions also where a file system folds case,
and safe in paths, URLs, topics and shells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

EVERYBODY = "(all)"  # no key: for whom a question or a fault is about many customers
MAX_KEY_LENGTH = (
    120  # leaves room for "assessments." in Kafka's 249, and for suffixes in a file's 255
)

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-")
_KEY = re.compile(r"(?:[a-z0-9-]|_[0-9a-f]{2})+")
_ESCAPE = re.compile(r"_([0-9a-f]{2})")
# Windows opens these as devices, in any folder.
_DEVICE = re.compile(r"con|prn|aux|nul|(?:com|lpt)[0-9]")


class CustomerNameRefused(ValueError):
    """A name that no key can stand for."""


class InvalidCustomerKey(ValueError):
    """A text that is not the key of any customer."""


def encode_customer(name: str) -> str:
    """The key of the customer called `name`."""
    if not name:
        raise CustomerNameRefused("A customer's name is empty.")
    try:
        encoded = name.encode()
    except UnicodeEncodeError as error:
        raise CustomerNameRefused(
            f"The customer name {_shown(name)} can't be written as UTF-8:"
            f" character {error.start} is half of a surrogate pair."
        ) from None
    key = "".join(chr(byte) if byte in _PLAIN else _escaped(byte) for byte in encoded)
    # A leading "-" would be an option to every command.
    if key.startswith("-") or _DEVICE.fullmatch(key):
        key = _escaped(encoded[0]) + key[1:]
    if len(key) > MAX_KEY_LENGTH:
        raise CustomerNameRefused(
            f"The customer name {_shown(name)} is too long: its key would have {len(key)}"
            f" characters, and {MAX_KEY_LENGTH} is the limit. (In a key, every byte of the name"
            " that isn't a-z, 0-9 or - takes three.)"
        )
    return key


def decode_customer(key: str) -> str:
    """The name behind a key. Every customer has one key, so other spellings of it are refused."""
    try:
        if not _KEY.fullmatch(key):
            raise InvalidCustomerKey(f"{_shown(key)} is not a customer key: {_ALPHABET}.")
        name = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), key).encode("latin-1").decode()
        expected = encode_customer(name)
    except (UnicodeDecodeError, CustomerNameRefused) as error:
        raise InvalidCustomerKey(f"{_shown(key)} is not a customer key: {error}") from None
    if expected != key:
        raise InvalidCustomerKey(
            f"{_shown(key)} is not a customer key:"
            f" the customer {_shown(name)} has the key {expected!r}."
        )
    return name


def require_customer_key(key: str) -> str:
    """`key` itself if it is some customer's key: to be called wherever a key comes from outside."""
    decode_customer(key)
    return key


def keys_among(partitions: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Those that are keys; and what is wrong with the others: Dagster accepts any text."""
    keys, others = [], {}
    for partition in partitions:
        try:
            keys.append(require_customer_key(partition))
        except InvalidCustomerKey as error:
            others[partition] = f"{error} Delete that partition in Dagster's UI."
    return keys, others


_ALPHABET = "keys hold only a-z, 0-9, - and escapes like _2f"


def _escaped(byte: int) -> str:
    return f"_{byte:02x}"


def _shown(text: str) -> str:
    """For messages: escaped, so that it can be printed anywhere, and not endless."""
    return ascii(text if len(text) <= 60 else text[:60] + "...")
