"""How the desk's stored functions are called: one round trip each."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import connection

from escalations.models import Escalation
from escalations.procedures.results import Outcome, Result
from waops.access import current
from waops.models import User

Actor = User | AnonymousUser
"""Who acts, as `request.user` is."""

Cases = Iterable[UUID] | Mapping[UUID, int]
"""Ids of escalations; as a mapping, with the version of each that the person saw (`version` of `case_state`)."""


def permitted(actor: Actor, permission: str, *, override: bool = False) -> User:
    """Raises PermissionDenied without the permission, named as in Escalation's `Meta`."""
    needed = [permission, "override_escalation"] if override else [permission]
    if isinstance(actor, AnonymousUser) or not all(actor.has_perm(f"escalations.{name}") for name in needed):
        raise PermissionDenied
    return actor


def name_of(user: User) -> str:
    return user.get_full_name() or user.get_username()


def call(function: str, cases: Cases, actor: User, **arguments: Any) -> list[Result]:
    """One result per distinct id, in their order: NOT_FOUND for a case that whoever asks may not see."""
    seen = see(cases)
    unseen = [Result(pk, "", Outcome.NOT_FOUND) for pk in dict.fromkeys(cases) if pk not in seen]
    ids = [pk for pk in cases if pk in seen]
    if not ids:
        return unseen
    arguments = {
        "p_ids": ids,
        "p_actor_id": actor.pk,
        "p_actor_name": name_of(actor),
        **arguments,
    }
    if isinstance(cases, Mapping):
        arguments["p_versions"] = [cases[pk] for pk in ids]
    return results(function, arguments) + unseen


def see(cases: Iterable[UUID]) -> frozenset[UUID]:
    """Those of the cases that whoever asks may see; where nothing is hidden, all of them, without a query."""
    ids = frozenset(cases)
    if current().is_limited:
        return frozenset(Escalation.objects.filter(pk__in=ids).values_list("pk", flat=True))
    return ids


def results(function: str, arguments: Mapping[str, Any]) -> list[Result]:
    named = ", ".join(f"{name} => %({name})s" for name in arguments)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM waops.{function}({named})", arguments)  # noqa: S608 names of ours
        return [Result(pk, number, Outcome(outcome), *rest) for pk, number, outcome, *rest in cursor.fetchall()]
