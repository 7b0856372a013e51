"""Snoozes: open cases out of sight until there is something to do."""

from datetime import datetime

from django.utils import timezone

from escalations.procedures.calls import Actor, Cases, call, permitted
from escalations.procedures.results import Result


def snooze(cases: Cases, actor: Actor, until: datetime | None) -> list[Result]:
    """Hide open cases until a moment, or, with None, until the customer writes, which ends any snooze: SNOOZED.

    Ends one's own claim; HELD where a colleague's is live.
    Raises PermissionDenied without claim_escalation, ValueError for a moment that has passed.
    """
    user = permitted(actor, "claim_escalation")
    if until is not None and until <= timezone.now():
        raise ValueError("A snooze ends in the future.")
    return call("snooze_escalations", cases, user, p_until=until)


def wake(cases: Cases, actor: Actor) -> list[Result]:
    """Bring snoozed cases back at once: WOKEN, or NOT_SNOOZED. Raises PermissionDenied without claim_escalation."""
    return call("wake_escalations", cases, permitted(actor, "claim_escalation"))
