"""This app's database functions: one typed function per SQL function, one round trip each.

Each acts on any number of escalations in one transaction, locks their customers' escalations in the order of their ids,
decides for each separately, and writes the history. A refused escalation raises nothing: see Result.
"""

from escalations.procedures.acts import (
    LEASE,
    claim,
    escalate,
    hand_over,
    note,
    release,
    renew,
    reopen,
    resolve,
    snooze,
    wake,
)
from escalations.procedures.calls import Outcome, Result, see

__all__ = [
    "LEASE",
    "Outcome",
    "Result",
    "claim",
    "escalate",
    "hand_over",
    "note",
    "release",
    "renew",
    "reopen",
    "resolve",
    "see",
    "snooze",
    "wake",
]
