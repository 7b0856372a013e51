"""Escalations, of the existing database; what the desk makes of them, and its history and settings, are ours."""

from escalations.models.case_state import CaseState, Viewing
from escalations.models.closing import CannedNote, ClosingOutcome, ClosingRule
from escalations.models.escalation import Escalation
from escalations.models.event import Event
from escalations.models.known_reason import KnownReason
from escalations.models.waiting import WaitTarget, WorkingDay

__all__ = [
    "CannedNote",
    "CaseState",
    "ClosingOutcome",
    "ClosingRule",
    "Escalation",
    "Event",
    "KnownReason",
    "Viewing",
    "WaitTarget",
    "WorkingDay",
]
