"""Numbers with a fraction or an exponent, none of whose digits may be lost.

A double has 15 to 17 of them: 0.12345678901234567890 and ...891 would be the same content. Known
fields hold no such number, so this is about unknown keys only.
"""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, InvalidOperation
from typing import Final

import msgspec

from assess_assets.messages.spelling import MAX_NUMBER_CHARACTERS

_EXACT: Final = Context(prec=MAX_NUMBER_CHARACTERS, Emax=MAX_EMAX, Emin=MIN_EMIN)


def exactly(raw: bytes) -> object:
    """The document, which is known to be valid; what a double can't hold is a `msgspec.Raw`."""
    return _DECODER.decode(raw)


def _exact(text: str) -> float | msgspec.Raw:
    """The number as a double if it is one, else its digits, spelled in one way."""
    near = float(text)
    try:
        number = Decimal(text)
        if number == Decimal(repr(near)):
            return near
        return msgspec.Raw(str(_EXACT.normalize(number)).encode())
    except InvalidOperation:  # an exponent of twenty digits
        return msgspec.Raw(text.encode())


_DECODER: Final = msgspec.json.Decoder(float_hook=_exact)
