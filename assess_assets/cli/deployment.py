"""What a command works on: the settings, the lake's layout, a customer's pins, Dagster's instance.

Belongs here: opening these, and saying what to set when it can't be done.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from assess_assets.cli.errors import CommandFailed

if TYPE_CHECKING:
    import dagster as dg

    from assess_assets.settings import Settings
    from assess_assets.sources.kafka_config import KafkaConfig
    from assess_assets.storage.delta import Pin
    from assess_assets.storage.layout import LakeLayout
    from assess_assets.tables.contract import TableContract

HOW_TO_SET_DAGSTER_HOME: Final = (
    "Set it as your Dagster webserver has it, or to a new folder: "
    'mkdir -p "$PWD/.dagster_home" && touch '
    '"$PWD/.dagster_home/dagster.yaml" && export DAGSTER_HOME="$PWD/.dagster_home"'
)


def deployment() -> "tuple[Settings, LakeLayout]":
    """Settings from the environment, and the layout of their lake."""
    from assess_assets.settings import Settings
    from assess_assets.storage.layout import LakeLayout

    try:
        settings = Settings()
        return settings, LakeLayout.of(settings.lake)
    except ValueError as error:
        raise CommandFailed(str(error)) from None


def pin_existing(layout: "LakeLayout", table: "TableContract", customer: str) -> "Pin | None":
    """The table's pin, or None if it has not been made: looking must not make or change it."""
    from assess_assets.storage import delta

    return delta.pin_existing(table, customer, layout.uri(table, customer))


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


@contextmanager
def dagster_instance() -> "Iterator[dg.DagsterInstance]":
    """The instance of DAGSTER_HOME, where customers are registered and runs are recorded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Dagster calls beta is no news to who runs a command
        import dagster as dg
        from dagster._core.errors import DagsterHomeNotSetError

        try:
            opened = dg.DagsterInstance.get()
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
        with opened as instance:
            yield instance
