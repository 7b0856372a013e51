"""The stored functions of this app: one typed function per SQL function, one round trip each.

Each acts on any number of cases in one transaction, locks their customers' escalations in the order of their ids,
decides for each case by itself, and writes the history. Nothing raises for what became of a case: Result tells.
"""

from escalations.procedures.calls import see
from escalations.procedures.claims import LEASE, claim, hand_over, release, renew
from escalations.procedures.closing import reopen, resolve
from escalations.procedures.entries import escalate, note
from escalations.procedures.pauses import snooze, wake
from escalations.procedures.results import Outcome, Result

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
