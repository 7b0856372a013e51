"""Escalations, from the existing database, and our own state, history and settings of the desk."""

from escalations.models.desk import EscalationState, Event, Viewing
from escalations.models.escalation import REASONS, Escalation, reason_in_words
from escalations.models.reply import LONGEST_REPLY, Reply
from escalations.models.settings import (
    CannedNote,
    CannedReply,
    ClosingOutcome,
    ClosingRule,
    KnownReason,
    SLATarget,
    WorkingDay,
)

__all__ = [
    "LONGEST_REPLY",
    "REASONS",
    "CannedNote",
    "CannedReply",
    "ClosingOutcome",
    "ClosingRule",
    "Escalation",
    "EscalationState",
    "Event",
    "KnownReason",
    "Reply",
    "SLATarget",
    "Viewing",
    "WorkingDay",
    "reason_in_words",
]
