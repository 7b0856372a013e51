"""Call the desk's database functions, one round trip each, and read their results."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import connection

from escalations.models import Escalation
from waops.access.people import User
from waops.access.readers import current


class Outcome(StrEnum):
    """The result for one escalation: the first ten are done, the others refused, with nothing changed."""

    CLAIMED = "claimed"
    RENEWED = "renewed"
    RELEASED = "released"
    HANDED_OVER = "handed_over"
    SNOOZED = "snoozed"
    WOKEN = "woken"
    NOTED = "noted"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    ESCALATED = "escalated"

    NOT_FOUND = "not_found"
    ALREADY_RESOLVED = "already_resolved"
    HELD = "held"
    """A colleague's claim is live."""
    NOT_HELD = "not_held"
    """The person's own claim has ended, or never existed; for a release: there is no live claim."""
    NOT_SNOOZED = "not_snoozed"
    NOT_RESOLVED = "not_resolved"
    ALREADY_OPEN = "already_open"
    """The customer has an open escalation, `other_id`."""
    ESCALATED_SINCE = "escalated_since"
    """The customer was escalated again, and that is resolved too: `other_id`."""
    NOTE_REQUIRED = "note_required"
    UNREAD = "unread"
    """The customer has written something the person has not read. Found by the pages, not the functions."""
    STALE = "stale"
    """The escalation is not as the page showed it."""


DONE = frozenset(list(Outcome)[: list(Outcome).index(Outcome.NOT_FOUND)])


@dataclass(frozen=True)
class Result:
    """The result for one escalation, and the event that explains it.

    If it was done, that is the person's own event. If refused, `kind` (of Event), `at`, `actor_id` and `actor_name` say
    who has claimed it, resolved it or changed it last; with `other_id` they are about that other escalation. Without
    `actor_name` it was done outside this app, or nothing was done yet.

    `until` is when its current claim or snooze ends. `version` is what the next action of the same page expects;
    `merged` counts duplicates that were closed too.
    """

    escalation_id: UUID | None
    whatsapp_number: str | None
    outcome: Outcome
    kind: str | None = None
    at: datetime | None = None
    actor_id: int | None = None
    actor_name: str | None = None
    until: datetime | None = None
    version: int = 0
    other_id: UUID | None = None
    merged: int = 0

    @property
    def is_done(self) -> bool:
        return self.outcome in DONE


Actor = User | AnonymousUser
"""The acting person, a value of `request.user`."""

EscalationIds = Iterable[UUID] | Mapping[UUID, int]
"""As a mapping, with the version of each escalation that the person saw (`with_state` adds it)."""


def permitted(actor: Actor, permission: str, *, override: bool = False) -> User:
    """Raise PermissionDenied without the permission, which is named as in Escalation's `Meta`."""
    needed = [permission, "override_escalation"] if override else [permission]
    if isinstance(actor, AnonymousUser) or not all(actor.has_perm(f"escalations.{name}") for name in needed):
        raise PermissionDenied
    return actor


def call(function: str, ids: EscalationIds, actor: User, **arguments: Any) -> list[Result]:
    """Call the function: one result per distinct id, in their order. NOT_FOUND for an escalation the current reader may
    not see.
    """
    allowed = see(ids)
    unseen = [Result(pk, "", Outcome.NOT_FOUND) for pk in dict.fromkeys(ids) if pk not in allowed]
    seen = [pk for pk in ids if pk in allowed]
    if not seen:
        return unseen
    arguments = {
        "p_ids": seen,
        "p_actor_id": actor.pk,
        "p_actor_name": actor.name,
        **arguments,
    }
    if isinstance(ids, Mapping):
        arguments["p_versions"] = [ids[pk] for pk in seen]
    return results(function, arguments) + unseen


def see(ids: Iterable[UUID]) -> frozenset[UUID]:
    """The escalations that the current reader may see; if nothing is hidden, all of them, without a query."""
    asked = frozenset(ids)
    if current().is_limited:
        return frozenset(Escalation.objects.filter(pk__in=asked).values_list("pk", flat=True))
    return asked


def results(function: str, arguments: Mapping[str, Any]) -> list[Result]:
    named = ", ".join(f"{name} => %({name})s" for name in arguments)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM waops.{function}({named})", arguments)  # noqa: S608 names of ours
        return [Result(pk, number, Outcome(outcome), *rest) for pk, number, outcome, *rest in cursor.fetchall()]
