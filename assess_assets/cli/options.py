"""Arguments that several commands share, and what they mean.

Belongs here: a customer named by its key or by its name, `--json`, `--limit`, a time.
"""

from typing import Annotated, Final

import typer

Customer = Annotated[
    str | None,
    typer.Option("--customer", "-c", metavar="KEY", help="The customer's key (assess customers)."),
]
CustomerName = Annotated[
    str | None,
    typer.Option("--customer-name", metavar="NAME", help='Instead: its name, as in "Acme & Co".'),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, complete and for programs.")]
Limit = Annotated[
    int | None,
    typer.Option(min=1, help="At most so many rows (default: 20, and with --json all)."),
]

Timeout = Annotated[
    str, typer.Option(metavar="TIME", help="Stop a query that is not done by then: 30s, 10m.")
]
DEFAULT_TIMEOUT: Final = "5m"
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0}


def seconds_of(text: str, option: str) -> float:
    """`10s`, `500ms`, `2m`, or a number of seconds."""
    number = text.rstrip("sm")
    try:
        seconds = float(number) * _UNITS[text[len(number) :] or "s"]
    except (KeyError, ValueError):
        seconds = 0.0
    if not 0 < seconds < 86_400:
        raise typer.BadParameter(f"{text!a} is no time to wait: give {option} 10s, 500ms or 2m.")
    return seconds


def chosen_customer(key: str | None, name: str | None) -> str:
    """The customer's key, from exactly one of the two options. A wrong one is wrong usage."""
    from assess_assets.customer_names import (
        CustomerNameRefused,
        InvalidCustomerKey,
        encode_customer,
        require_customer_key,
    )

    if (key is None) == (name is None):
        raise typer.BadParameter("Give either --customer KEY or --customer-name NAME.")
    try:
        return encode_customer(name) if name is not None else require_customer_key(key or "")
    except CustomerNameRefused as error:
        raise typer.BadParameter(str(error)) from None
    except InvalidCustomerKey as error:
        raise typer.BadParameter(f"{error} {_meant(key or '')}") from None


def _meant(text: str) -> str:
    from assess_assets.customer_names import CustomerNameRefused, encode_customer

    try:
        key = encode_customer(text)
    except CustomerNameRefused:
        return "See `assess customers`."
    return (
        f"A customer of the name {text!a} has the key {key}: give --customer {key}, "
        f"or --customer-name {shell_quoted(text)}."
    )


def shell_quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)
