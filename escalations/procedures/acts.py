"""What staff do with escalations: claim, release, hand over, snooze, wake, resolve, reopen, note and escalate."""

from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.utils import timezone

from conversations.models import Conversation
from escalations.models import ClosingOutcome
from escalations.procedures.calls import Actor, EscalationIds, Outcome, Result, call, permitted, results, see
from waops.access.people import User
from waops.access.readers import Reader, current, reading_as

LEASE = timedelta(minutes=10)
"""How long a claim lasts after the last activity on the escalation."""


HANDED_LEASE = timedelta(hours=1)
"""How long a colleague has to start on what was handed over to them."""


def claim(ids: EscalationIds, actor: Actor, *, lease: timedelta = LEASE, override: bool = False) -> list[Result]:
    """Claim open escalations: CLAIMED; RENEWED if it was already the person's own; HELD if a colleague's
    claim is live.

    A snoozed escalation wakes. `override` takes over a live claim. Of several people at the same time exactly one gets
    CLAIMED. Raises PermissionDenied without claim_escalation, or, with `override`, without override_escalation.
    """
    user = permitted(actor, "claim_escalation", override=override)
    return call("claim_escalations", ids, user, p_lease=lease, p_force=override)


def renew(ids: EscalationIds, actor: Actor, *, lease: timedelta = LEASE) -> list[Result]:
    """Extend the person's live claims, after activity: RENEWED, else NOT_HELD, HELD, ALREADY_RESOLVED. Not
    in the history.

    Raises PermissionDenied without claim_escalation.
    """
    return call("renew_claims", ids, permitted(actor, "claim_escalation"), p_lease=lease)


def release(ids: EscalationIds, actor: Actor, *, override: bool = False) -> list[Result]:
    """Return escalations to the queue: RELEASED, or NOT_HELD. `override` also ends a colleague's claim, else
    HELD.

    Raises PermissionDenied without claim_escalation, or, with `override`, without override_escalation.
    """
    user = permitted(actor, "claim_escalation", override=override)
    return call("release_escalations", ids, user, p_force=override)


def hand_over(
    ids: EscalationIds, actor: Actor, to: User, *, lease: timedelta = HANDED_LEASE, override: bool = False
) -> list[Result]:
    """Hand over escalations, the person's own or unclaimed, to a colleague with a new lease: HANDED_OVER, or
    HELD.

    Raises PermissionDenied without claim_escalation, or, with `override`, without override_escalation, or if the
    colleague may not see an escalation; ValueError if the colleague may not claim.
    """
    user = permitted(actor, "claim_escalation", override=override)
    if not (to.is_active and to.has_perm("escalations.claim_escalation")):
        raise ValueError(f"{to.name} may not claim escalations.")
    with reading_as(Reader(to)):
        if not see(ids) >= set(ids):
            raise PermissionDenied(f"{to.name} may not see these escalations.")
    return call("hand_over_escalations", ids, user, p_to_id=to.pk, p_to_name=to.name, p_lease=lease, p_force=override)


def snooze(ids: EscalationIds, actor: Actor, until: datetime | None) -> list[Result]:
    """Snooze open escalations until a time or, with None, until the customer writes, which ends any snooze:
    SNOOZED.

    Ends the person's own claim; HELD if a colleague's is live. Raises PermissionDenied without claim_escalation,
    ValueError for a time in the past.
    """
    user = permitted(actor, "claim_escalation")
    if until is not None and until <= timezone.now():
        raise ValueError("A snooze ends in the future.")
    return call("snooze_escalations", ids, user, p_until=until)


def wake(ids: EscalationIds, actor: Actor) -> list[Result]:
    """Return snoozed escalations to the queue now: WOKEN, or NOT_SNOOZED. Raises PermissionDenied without
    claim_escalation.
    """
    return call("wake_escalations", ids, permitted(actor, "claim_escalation"))


def resolve(
    ids: EscalationIds,
    actor: Actor,
    outcome: ClosingOutcome | None = None,
    note: str = "",
    *,
    override: bool = False,
) -> list[Result]:
    """Resolve escalations and every other open one of the same customers, in one transaction.

    RESOLVED; ALREADY_RESOLVED; HELD if a colleague has claimed it or a duplicate, unless `override`; NOTE_REQUIRED if
    the business requires one. Of several people at the same time exactly one gets RESOLVED. Raises PermissionDenied
    without resolve_escalation, or, with `override`, without override_escalation; DataError for an outcome that is not
    active.
    """
    user = permitted(actor, "resolve_escalation", override=override)
    code = outcome.pk if outcome else None
    return call("resolve_escalations", ids, user, p_outcome=code, p_note=note.strip(), p_force=override)


def reopen(ids: EscalationIds, actor: Actor) -> list[Result]:
    """Undo resolving: REOPENED and unclaimed, so the AI is silent again.

    NOT_RESOLVED if it is open; ALREADY_OPEN or ESCALATED_SINCE if the customer has another escalation by now. Raises
    PermissionDenied without reopen_escalation.
    """
    return call("reopen_escalations", ids, permitted(actor, "reopen_escalation"))


def note(ids: EscalationIds, actor: Actor, text: str) -> list[Result]:
    """Add a note to the history of open or resolved escalations: NOTED. It changes no state and no version.

    Raises PermissionDenied without claim_escalation, ValueError for an empty text.
    """
    user = permitted(actor, "claim_escalation")
    if not text.strip():
        raise ValueError("A note says something.")
    return call("note_escalations", ids, user, p_note=text.strip())


def escalate(conversation_id: UUID, actor: Actor, text: str = "") -> Result:
    """Escalate a conversation, which silences the AI: ESCALATED, with the new escalation's id.

    ALREADY_OPEN with the open one's as `other_id`, no matter who opened it; NOT_FOUND without such a conversation.
    Raises PermissionDenied without open_escalation.
    """
    user = permitted(actor, "open_escalation")
    if current().is_limited and not Conversation.objects.filter(pk=conversation_id).exists():
        return Result(None, "", Outcome.NOT_FOUND)
    arguments = {
        "p_conversation_id": conversation_id,
        "p_actor_id": user.pk,
        "p_actor_name": user.name,
        "p_note": text.strip(),
    }
    [result] = results("escalate_by_hand", arguments)
    return result
