"""How to reach Kafka: the brokers, and further client settings such as SASL and TLS.

Belongs here: reading those, from a file and from the environment, and which settings are ours
alone. They are never logged, never put into a Spark plan and never part of an error: what travels
is the file's path, and every process reads its own environment.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from assess_assets.settings import Settings
from assess_assets.sources.kafka_errors import KafkaNotConfigured

# What reading exactly the claimed offsets rests on; a file must not change it.
OURS: Final = frozenset(
    {
        "bootstrap.servers",
        "group.id",
        "enable.auto.commit",
        "isolation.level",
        "enable.partition.eof",
        "auto.offset.reset",
        "enable.idempotence",
        "acks",
    }
)
_QUIET: Final = {"log_level": 0}  # errors come through callbacks, not on stderr


@dataclass(frozen=True)
class KafkaConfig:
    """`file`: `name=value` lines, or TOML if it is called so; every executor must see it there."""

    servers: str
    file: str | None = None

    def client(self) -> dict[str, Any]:
        """The settings of a new client. They hold secrets: don't keep or show them."""
        further = {**self._from_file(), **_from_environment()}
        return {**further, **_QUIET, "bootstrap.servers": self.servers}

    def _from_file(self) -> dict[str, str]:
        if self.file is None:
            return {}
        path = Path(self.file)
        try:
            text = path.read_text(encoding="utf-8")
            settings = _toml(text) if path.suffix == ".toml" else _properties(text)
        except OSError as error:
            raise KafkaNotConfigured(
                f"Kafka's client settings {path} can't be read: {error.strerror}. "
                "ASSESS_KAFKA_CONFIG names that file."
            ) from None
        except ValueError:  # its message could quote the file
            raise KafkaNotConfigured(
                f"Kafka's client settings {path} are neither `name=value` lines nor, if the name "
                "ends in .toml, TOML in UTF-8. ASSESS_KAFKA_CONFIG names that file."
            ) from None
        return _not_ours(settings, str(path))


def _from_environment() -> dict[str, str]:
    """`ASSESS_KAFKA_CLIENT__SASL_PASSWORD` is `sasl.password`, as in Kafka's own images."""
    found = {
        name.lower().replace("_", "."): secret.get_secret_value()
        for name, secret in Settings().kafka_client.items()
    }
    return _not_ours(found, "of the variables ASSESS_KAFKA_CLIENT__*")


def _not_ours(settings: dict[str, str], where: str) -> dict[str, str]:
    taken = sorted(OURS & settings.keys())
    if taken:
        raise KafkaNotConfigured(
            f"Kafka's client settings {where} set {', '.join(taken)}, which assess_assets sets "
            "itself. Remove that."
        )
    return settings


def _properties(text: str) -> dict[str, str]:
    settings = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if not name or name.startswith(("#", "!")):
            continue
        if not equals:
            raise ValueError("a line without =")
        settings[name.strip()] = value.strip()
    return settings


def _toml(text: str) -> dict[str, str]:
    return dict(_flat(tomllib.loads(text)))


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """`sasl.username` in TOML is a table `sasl`: put the names together again."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            text = str(value)
            yield f"{prefix}{name}", text.lower() if isinstance(value, bool) else text
