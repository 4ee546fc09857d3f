"""Builds: the numbered makings of everything below raw_messages, and who may write which.

A build is claimed like a batch. Versions are ordered: older code refuses to run over newer.
A policy's version is a person's to raise; its content tells whether somebody forgot to.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from assess_assets.storage.delta import Pin, append_claim


class OlderCode(Exception):
    """The tables were made by a newer contract, policy or code than the one that is running."""


class PolicyChanged(Exception):
    """The policy says something else than the build was made with, under the same version."""


@dataclass(frozen=True)
class Versions:
    """What a build was made with."""

    contract: int
    policy: int
    code: int
    policy_content: str | None = None  # not known of builds of older code

    def changes_since(self, earlier: "Versions") -> list[str]:
        pairs = [
            ("contract", earlier.contract, self.contract),
            ("policy", earlier.policy, self.policy),
            ("code", earlier.code, self.code),
        ]
        return [f"{name} version {old} to {new}" for name, old, new in pairs if old != new]

    def by_the_policy_of(self, other: "Versions") -> "Versions":
        """The same code by another policy."""
        return replace(self, policy=other.policy, policy_content=other.policy_content)

    def contradicts(self, other: "Versions") -> bool:
        """Whether the policy says something else under the same version."""
        both = (self.policy_content, other.policy_content)
        return self.policy == other.policy and None not in both and both[0] != both[1]


@dataclass(frozen=True)
class Build:
    """One row of `builds`, as far as a step needs it; number 0 is no build yet."""

    number: int
    versions: Versions
    claimed_at: datetime | None


def latest_build(builds: Pin) -> Build | None:
    rows = builds.look_up("select * from pinned order by build desc limit 1")
    if not rows:
        return None
    row = rows[0]
    versions = Versions(
        row["contract_version"],
        row["policy_version"],
        row["code_version"],
        row.get("policy_content"),
    )
    return Build(row["build"], versions, row["claimed_at"])


def refuse_older_code(customer: str, latest: Build, running: Versions) -> None:
    """Raises OlderCode if any running version is below the recorded one."""
    made = latest.versions
    if running.contract < made.contract or running.policy < made.policy or running.code < made.code:
        raise OlderCode(
            f"Customer {customer}: build {latest.number} was made with newer versions "
            f"({'; '.join(made.changes_since(running))}). Nothing was written. Deploy the newer "
            "code, or set ASSESS_POLICIES to the file with the newer policy; to go back on "
            "purpose, raise the version and rebuild."
        )


def refuse_changed_policy(customer: str, latest: Build, running: Versions) -> None:
    """Raises PolicyChanged: rows by two policies in one build would be no build."""
    made = latest.versions
    if running.contradicts(made):
        raise PolicyChanged(
            f"Customer {customer}: the policy is {running.policy_content}, and build "
            f"{latest.number} was made with {made.policy_content}, both as version "
            f"{made.policy}. Nothing was written. Raise `version` in the policy, and everything is "
            "made again by it; or put back what it said, or set ASSESS_POLICIES to the file that "
            "has it."
        )


def claim_build(
    builds: Pin, highest: int, running: Versions, reason: str, now: datetime, run_id: str
) -> int:
    """Append the build after the highest, against the pinned version.

    Raises LostRace if another claimed it.
    """
    number = highest + 1
    append_claim(
        builds,
        [
            {
                "build": number,
                "reason": reason,
                "contract_version": running.contract,
                "policy_version": running.policy,
                "policy_content": running.policy_content,
                "code_version": running.code,
                "claimed_at": now,
                "run_id": run_id,
            }
        ],
    )
    return number
