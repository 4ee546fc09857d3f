"""The environment: the only module that reads it, when asked to and never at import.

Belongs here: names, defaults and meaning of the ASSESS_* variables. What they configure does not.
"""

import re
from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_ENGINES: Final = re.compile(r"sail|local|local\[([1-9][0-9]*|\*)\]|(spark|sc)://[^\s/].*")


class Settings(BaseSettings):
    """What a deployment chooses. `Settings()` reads the environment; tests pass arguments."""

    model_config = SettingsConfigDict(
        env_prefix="ASSESS_",
        env_nested_delimiter="__",
        env_ignore_empty=True,  # as ${ASSESS_LAKE:-} gives: not the current folder
        frozen=True,
        validate_default=True,
        extra="ignore",
        hide_input_in_errors=True,  # it may be a password
    )

    lake: str = Field("data/lake", description="Where tables live: a folder, file:// or hdfs://.")
    webhdfs: str | None = Field(
        None,
        description="The NameNode's http address, to protect customers' folders on HDFS; or off.",
    )
    hadoop_user: str | None = Field(
        None,
        validation_alias="HADOOP_USER_NAME",
        description="Who this is to HDFS; the system's user without.",
    )
    landing: Path = Field(
        Path("data/landing"), description="Where files are delivered: one folder a customer."
    )
    spark: str = Field(
        "sail",
        description="The engine: sail, local, local[n], local[*], spark://host:port or "
        "sc://host:port.",
    )
    max_messages_per_run: int = Field(
        1_000_000,
        gt=0,
        lt=2**63,  # offsets have no more bits
        description="Most messages that one run claims for one customer.",
    )
    cache: Path = Field(
        Path("~/.cache/assess_assets"), description="Where jars of `assess services` are kept."
    )
    kafka: str | None = Field(
        None, description="Kafka's bootstrap servers, host:port[,...]; no topics are read without."
    )
    kafka_config: Path | None = Field(
        None,
        description="File of further Kafka client settings (SASL, TLS): name=value lines or .toml.",
    )
    kafka_client: dict[str, SecretStr] = Field(
        {},
        description="The same, a variable each: ASSESS_KAFKA_CLIENT__SASL_PASSWORD is "
        "sasl.password; before the file's.",
    )
    policies: Path | None = Field(
        None, description="TOML file with the customers' policies; defaults without."
    )

    @field_validator("landing", "cache", "kafka_config", "policies")
    @classmethod
    def _is_a_path(cls, path: Path | None, of: ValidationInfo) -> Path | None:
        """`~` is the home folder, everywhere; a URI would be a folder named `file:` here."""
        if path is not None and re.match(r"[a-z]+:/", str(path)):
            name = f"ASSESS_{(of.field_name or '').upper()}"
            raise ValueError(f"{name} is {str(path)!a}: set it to a path, not to a URI.")
        return path.expanduser() if path is not None else None

    @field_validator("spark")
    @classmethod
    def _is_an_engine(cls, spark: str) -> str:
        """Refused here, as a word that no engine has would start a JVM only to be told so."""
        named = spark.strip()
        if named.lower() in ("", "sail"):
            return "sail"
        if not _ENGINES.fullmatch(named):
            without_parameters = named.partition(";")[0]  # a token may be among them
            raise ValueError(
                f"ASSESS_SPARK is {without_parameters!a}, which names no engine. Set it to sail "
                "(as without it), local, local[n], local[*], spark://host:port or sc://host:port."
            )
        return named
