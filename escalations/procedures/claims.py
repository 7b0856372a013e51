"""Claims: who works on a case, for as long as the lease lasts."""

from datetime import timedelta

from django.core.exceptions import PermissionDenied

from escalations.procedures.calls import Actor, Cases, call, name_of, permitted, see
from escalations.procedures.results import Result
from waops.access import Reader, reading_as
from waops.models import User

LEASE = timedelta(minutes=10)
"""How long a claim lasts beyond the last activity on the case."""


def claim(cases: Cases, actor: Actor, *, lease: timedelta = LEASE, override: bool = False) -> list[Result]:
    """Take open cases: CLAIMED; RENEWED where the claim was one's own; HELD where a colleague's is live.

    A snoozed case wakes. `override` takes over a live claim. Of several people at once exactly one gets CLAIMED.
    Raises PermissionDenied without claim_escalation, or, with `override`, without override_escalation.
    """
    user = permitted(actor, "claim_escalation", override=override)
    return call("claim_escalations", cases, user, p_lease=lease, p_force=override)


def renew(cases: Cases, actor: Actor, *, lease: timedelta = LEASE) -> list[Result]:
    """Extend one's own live claims, after activity: RENEWED, else NOT_HELD, HELD, ALREADY_RESOLVED. Not in the history.

    Raises PermissionDenied without claim_escalation.
    """
    return call("renew_claims", cases, permitted(actor, "claim_escalation"), p_lease=lease)


def release(cases: Cases, actor: Actor, *, override: bool = False) -> list[Result]:
    """Give cases back to the queue: RELEASED, or NOT_HELD. `override` ends a colleague's claim too, else HELD.

    Raises PermissionDenied without claim_escalation, or, with `override`, without override_escalation.
    """
    user = permitted(actor, "claim_escalation", override=override)
    return call("release_escalations", cases, user, p_force=override)


def hand_over(
    cases: Cases, actor: Actor, to: User, *, lease: timedelta = LEASE, override: bool = False
) -> list[Result]:
    """Give cases, one's own or unclaimed, to a colleague with a new lease: HANDED_OVER, or HELD.

    Raises PermissionDenied without claim_escalation, or, with `override`, without override_escalation, or if the
    colleague may not see a case; ValueError if the colleague may not claim.
    """
    user = permitted(actor, "claim_escalation", override=override)
    if not (to.is_active and to.has_perm("escalations.claim_escalation")):
        raise ValueError(f"{name_of(to)} may not claim escalations.")
    with reading_as(Reader(to)):
        if not see(cases) >= set(cases):
            raise PermissionDenied(f"{name_of(to)} may not see these escalations.")
    return call(
        "hand_over_escalations", cases, user, p_to_id=to.pk, p_to_name=name_of(to), p_lease=lease, p_force=override
    )
