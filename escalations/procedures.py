"""The stored functions of this app: one typed function per SQL function, one round trip each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import connection

from waops.models import User


class Outcome(StrEnum):
    RESOLVED = "resolved"
    ALREADY_RESOLVED = "already_resolved"
    NOT_FOUND = "not_found"


@dataclass(frozen=True)
class Resolution:
    """What became of one escalation that somebody wanted resolved.

    Of an escalation that was already resolved, `resolved_at`, `actor_id` and `actor_name` tell when and by whom;
    without a name it was resolved outside this app. `merged` counts duplicates that were closed with it.
    """

    escalation_id: UUID
    whatsapp_number: str | None
    outcome: Outcome
    resolved_at: datetime | None
    actor_id: int | None
    actor_name: str | None
    merged: int


def resolve(ids: Iterable[UUID], actor: User | AnonymousUser) -> list[Resolution]:
    """Close escalations and every other open one of the same customers, in one transaction; one result per distinct id.

    Of several people who resolve the same escalation at the same moment, exactly one gets `Outcome.RESOLVED`.
    Raises PermissionDenied if the actor may not resolve.
    """
    if isinstance(actor, AnonymousUser) or not actor.has_perm("escalations.resolve_escalation"):
        raise PermissionDenied
    name = actor.get_full_name() or actor.get_username()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM waops.resolve_escalations(%s, %s, %s)", [list(ids), actor.pk, name])
        return [
            Resolution(escalation_id, number, Outcome(outcome), *rest)
            for escalation_id, number, outcome, *rest in cursor.fetchall()
        ]
