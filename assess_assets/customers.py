"""Customers as partitions, the one backfill policy, and each customer's own policy.

Names and keys are `customer_names`'s business.
"""

import json
import tomllib
from pathlib import Path
from typing import Any, Self

import click
import dagster as dg
from pydantic import BaseModel, ConfigDict, Field

from assess_assets.customer_names import InvalidCustomerKey, require_customer_key


class UnknownCustomer(click.ClickException):
    """A run was asked for a customer that is not registered.

    Dagster's commands are click's, so they print this as one message and exit with 1. Were it a
    DagsterUnknownPartitionError, they would put a text about "selected assets" in its place.
    """


class Customers(dg.DynamicPartitionsDefinition):
    """Dagster's own definition, but for what it says of an unknown customer."""

    def validate_partition_key(self, partition_key: str, context: Any) -> None:
        """Asked before a run by Dagster's commands, run requests and `execute_in_process`."""
        try:
            super().validate_partition_key(partition_key, context)
        except dg.DagsterUnknownPartitionError as unknown:
            raise UnknownCustomer(_told_of(partition_key)) from unknown


# Dagster stores the class's name with sets of partitions and compares it, also in processes that
# know its own class alone (UI, daemon).
Customers.__name__ = dg.DynamicPartitionsDefinition.__name__

CUSTOMERS = Customers(name="customers")


def _told_of(unknown: str) -> str:
    try:
        key = require_customer_key(unknown)
    except InvalidCustomerKey as error:
        return f"{error} Nothing was run. `assess customers` lists every customer's key and name."
    return (
        f"Customer {key} is not registered in this Dagster instance, so nothing was run. "
        "`assess customers` lists who is. `assess customers sync` registers everybody whose files "
        f"have landed; `assess land FILE --customer {key}` delivers a first one."
    )


def backfill_policy() -> dg.BackfillPolicy:
    """One run for a whole range of customers: engines start once, commits overlap.

    Every partitioned asset carries this one: with different policies in a job, Dagster falls back
    to the smallest. It still makes one run per contiguous range of partitions.
    """
    return dg.BackfillPolicy.single_run()


class BadPolicies(ValueError):
    """The file of policies is not there, or is no TOML."""


class CustomerPolicy(BaseModel):
    """What may differ between customers. A change of what tables hold needs a higher version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(1, gt=0, description="Ordered; a change makes a new build.")
    test_exam_ids: frozenset[str] = Field(
        frozenset({"example-id"}), description="Base exam ids whose attempts are test data."
    )
    hdfs_group: str | None = Field(
        None,
        pattern=r"^[A-Za-z_][A-Za-z0-9._-]*$",
        description="Who may read the customer's folder on HDFS; the group named by its key.",
    )
    max_quarantine_share: float = Field(0.2, ge=0, le=1, description="Blocks above this share.")
    max_conflict_share: float = Field(0.2, ge=0, le=1, description="Blocks above this share.")
    max_mismatch_share: float = Field(0.2, ge=0, le=1, description="Blocks above this share.")

    @property
    def content(self) -> str:
        """What of it the tables' rows depend on, as JSON: it may not change within a version."""
        return json.dumps({"test_exam_ids": sorted(self.test_exam_ids)})


class Policies(BaseModel):
    """Policies by customer key, from a TOML file: `[default]` and `[customers.<key>]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    default: CustomerPolicy = CustomerPolicy()
    customers: dict[str, CustomerPolicy] = {}

    @classmethod
    def load(cls, path: Path | None) -> Self:
        """Raises BadPolicies, InvalidCustomerKey, and pydantic's ValidationError."""
        try:
            policies = cls.model_validate(tomllib.loads(path.read_text()) if path else {})
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BadPolicies(
                f"The customers' policies, {path} (ASSESS_POLICIES), can't be read: {error}. "
                "Nothing was run by other policies instead."
            ) from error
        for key in policies.customers:
            require_customer_key(key)
        return policies

    def of(self, customer: str) -> CustomerPolicy:
        return self.customers.get(customer, self.default)
