"""Customers as partitions, the one backfill policy, and each customer's own policy.

Names and keys are `customer_names`'s business.
"""

import tomllib
from pathlib import Path
from typing import Self

import dagster as dg
from pydantic import BaseModel, ConfigDict, Field

from assess_assets.customer_names import require_customer_key

CUSTOMERS = dg.DynamicPartitionsDefinition(name="customers")


def backfill_policy() -> dg.BackfillPolicy:
    """One run for a whole range of customers: engines start once, commits overlap.

    Every partitioned asset carries this one: with different policies in a job, Dagster falls back
    to the smallest. It still makes one run per contiguous range of partitions.
    """
    return dg.BackfillPolicy.single_run()


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


class Policies(BaseModel):
    """Policies by customer key, from a TOML file: `[default]` and `[customers.<key>]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    default: CustomerPolicy = CustomerPolicy()
    customers: dict[str, CustomerPolicy] = {}

    @classmethod
    def load(cls, path: Path | None) -> Self:
        """Raises pydantic's ValidationError, naming the key, and InvalidCustomerKey."""
        policies = cls.model_validate(tomllib.loads(path.read_text()) if path else {})
        for key in policies.customers:
            require_customer_key(key)
        return policies

    def of(self, customer: str) -> CustomerPolicy:
        return self.customers.get(customer, self.default)
