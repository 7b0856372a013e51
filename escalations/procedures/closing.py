"""The end of a case, and its return."""

from escalations.models import ClosingOutcome
from escalations.procedures.calls import Actor, Cases, call, permitted
from escalations.procedures.results import Result


def resolve(
    cases: Cases,
    actor: Actor,
    outcome: ClosingOutcome | None = None,
    note: str = "",
    *,
    override: bool = False,
) -> list[Result]:
    """Close escalations and every other open one of the same customers, in one transaction.

    RESOLVED; ALREADY_RESOLVED; HELD where a colleague has claimed it or a duplicate, unless `override`; NOTE_REQUIRED
    where the business wants one. Of several people at once exactly one gets RESOLVED.
    Raises PermissionDenied without resolve_escalation, or, with `override`, without override_escalation; DataError
    for an outcome that is not active.
    """
    user = permitted(actor, "resolve_escalation", override=override)
    code = outcome.pk if outcome else None
    return call("resolve_escalations", cases, user, p_outcome=code, p_note=note.strip(), p_force=override)


def reopen(cases: Cases, actor: Actor) -> list[Result]:
    """Undo resolving: REOPENED and unclaimed, so the AI is silent again.

    NOT_RESOLVED where it is open; ALREADY_OPEN or ESCALATED_SINCE where the customer has another case by now.
    Raises PermissionDenied without reopen_escalation.
    """
    return call("reopen_escalations", cases, permitted(actor, "reopen_escalation"))
