"""The contract of one assessment message, and the verdict on what arrives instead of it.

Belongs here: what a message must look like, why one is refused, its fingerprint. Pure functions
over bytes: no engine, no Dagster, no storage, no opinion on what becomes of a refused message.
"""

from assess_assets.messages.batches import VERDICT_SCHEMA, judge_batch
from assess_assets.messages.contract import CONTRACT_VERSION, MAX_MESSAGE_BYTES, Message
from assess_assets.messages.rules import Rule
from assess_assets.messages.verdict import Verdict, judge

__all__ = [
    "CONTRACT_VERSION",
    "MAX_MESSAGE_BYTES",
    "VERDICT_SCHEMA",
    "Message",
    "Rule",
    "Verdict",
    "judge",
    "judge_batch",
]
