"""What a command works on: the settings, the lake's layout, a customer's pins, Dagster's instance.

Belongs here: opening these, and saying what to set when it can't be done.
"""

import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from assess_assets.cli.errors import CommandFailed
from assess_assets.commands import update_command

if TYPE_CHECKING:
    import dagster as dg

    from assess_assets.settings import Settings
    from assess_assets.sources.kafka_config import KafkaConfig
    from assess_assets.storage.delta import Pin
    from assess_assets.storage.layout import LakeLayout
    from assess_assets.tables.contract import TableContract

OUR_DAGSTER_YAML: Final = Path(__file__).parent / "dagster.yaml"
HOW_TO_SET_DAGSTER_HOME: Final = (
    "Set it as your Dagster webserver has it; or to a folder that does not exist yet, which is "
    f"then made, with a copy of {OUR_DAGSTER_YAML} as its configuration: "
    'export DAGSTER_HOME="$PWD/dagster_home"'
)


def deployment() -> "tuple[Settings, LakeLayout]":
    """Settings from the environment, and the layout of their lake."""
    from assess_assets.settings import Settings
    from assess_assets.storage.layout import LakeLayout

    try:
        settings = Settings()
        return settings, LakeLayout.of(settings.lake)
    except ValueError as error:
        raise CommandFailed(_told(error)) from None


def _told(error: ValueError) -> str:
    """What is wrong with which variable, without what pydantic says around it."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error)
    sentences = []
    for one in error.errors(include_url=False, include_input=False):
        if one["type"] == "value_error":
            sentences.append(one["msg"].removeprefix("Value error, "))  # ours: it names it
        else:
            name = "__".join(str(part) for part in one["loc"]).upper()
            prefix = "" if name.startswith("HADOOP_") else "ASSESS_"
            sentences.append(f"{prefix}{name}: {one['msg']}.")
    return "\n".join(sentences)


def pin_existing(layout: "LakeLayout", table: "TableContract", customer: str) -> "Pin | None":
    """The table's pin, or None if it has not been made: looking must not make or change it."""
    from assess_assets.storage import delta

    return delta.pin_existing(table, customer, layout.uri(table, customer))


def has_no_message(layout: "LakeLayout", customer: str) -> bool:
    """Whether the customer's runs have found nothing to read so far."""
    from assess_assets.storage.delta import committed
    from assess_assets.tables.ingest import RAW_MESSAGES

    raw = pin_existing(layout, RAW_MESSAGES, customer)
    return raw is not None and committed(raw).rows == 0


def no_message_yet(customer: str) -> str:
    return (
        f"Customer {customer}: no message has been read yet, so there is nothing to tell. Next: "
        f"assess land FILE --customer {customer}, then {update_command(customer)}"
    )


def kafka_of(settings: "Settings") -> "KafkaConfig":
    """How to reach Kafka, or what to set for it."""
    from assess_assets.sources.kafka_config import KafkaConfig

    if not settings.kafka:
        raise CommandFailed(
            "No Kafka broker is named. Set ASSESS_KAFKA=host:port, and ASSESS_KAFKA_CONFIG to a "
            "file of client settings if it asks who you are."
        )
    return KafkaConfig(
        settings.kafka, str(settings.kafka_config) if settings.kafka_config else None
    )


def home_to_make() -> Path | None:
    """The folder of DAGSTER_HOME if it is to be made: it does not exist, or it is empty.

    One with other content is somebody's; of a relative one Dagster itself says what is wrong.
    """
    named = os.environ.get("DAGSTER_HOME")
    home = Path(named or "").expanduser()
    if not named or not home.is_absolute():
        return None
    try:
        is_to_make = not any(home.iterdir()) if home.is_dir() else not os.path.lexists(home)
    except OSError:  # opening it tells better
        return None
    return home if is_to_make else None


def make_dagster_home() -> None:
    """Make the folder of DAGSTER_HOME on demand, as lake and landing are, and configure it."""
    home = home_to_make()
    if home is None:
        return
    try:
        home.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(OUR_DAGSTER_YAML, home / OUR_DAGSTER_YAML.name)
    except OSError as error:
        raise CommandFailed(
            f"DAGSTER_HOME, {home}, can't be made: {error.strerror}.",
            "Give this user access to it, or set DAGSTER_HOME to another folder.",
        ) from None
    typer.echo(f"Made {home} (DAGSTER_HOME), configured by a copy of cli/dagster.yaml.", err=True)


def make_dagster_home_for_later() -> None:
    """For the command that is told as the next one. What was delivered is so all the same."""
    try:
        make_dagster_home()
    except CommandFailed as error:
        typer.echo(str(error), err=True)


@contextmanager
def dagster_instance(makes_home: bool = True) -> "Iterator[dg.DagsterInstance]":
    """The instance of DAGSTER_HOME, where customers are registered and runs are recorded."""
    if makes_home:
        make_dagster_home()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Dagster calls beta is no news to who runs a command
        from sqlalchemy.exc import OperationalError

        try:
            with _opened_instance() as instance:
                yield instance
        except OperationalError as error:  # SQLite opens what it may not write, and writes later
            raise _unusable(str(error.orig)) from None


def _opened_instance() -> "dg.DagsterInstance":
    import dagster as dg
    from dagster._core.errors import DagsterHomeNotSetError

    try:
        return dg.DagsterInstance.get()
    except DagsterHomeNotSetError:
        raise CommandFailed(
            "DAGSTER_HOME is not set, so there is no Dagster instance that knows customers "
            "and runs.",
            HOW_TO_SET_DAGSTER_HOME,
        ) from None
    except (dg.DagsterInvariantViolationError, dg.DagsterInvalidConfigError) as error:
        raise CommandFailed(
            f"The Dagster instance of DAGSTER_HOME can't be opened: {error}.",
            HOW_TO_SET_DAGSTER_HOME,
        ) from None
    except OSError as error:
        raise _unusable(str(error)) from None


def _unusable(reason: str) -> CommandFailed:
    return CommandFailed(
        f"The Dagster instance of DAGSTER_HOME, {os.environ.get('DAGSTER_HOME')}, can't be read "
        f"and written: {reason}.",
        "Give this user access to that folder and all files below it, and room on its disk; if "
        "its dagster.yaml names a database, start that.",
    )
