"""The cure of each kind of damage, for some of its items. What somebody cured meanwhile is left as it is."""

from collections.abc import Callable, Sequence
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils.translation import gettext as _

from escalations.attention.findings import Kind
from escalations.models import KnownReason
from escalations.procedures import escalate, note, resolve, see
from escalations.repair import DuplicateEscalations
from waops.models import User

Remedy = Callable[[Sequence[str], User], int]


def apply(kind: Kind, keys: Sequence[str], actor: User) -> int:
    """How many items were cured. Raises PermissionDenied; ValueError for a key that names no item."""
    if not actor.has_perm(kind.permission):
        raise PermissionDenied
    return _REMEDIES[kind](keys, actor)


def _open(keys: Sequence[str], actor: User) -> int:
    conversations = [UUID(key) for key in keys]
    return sum(escalate(conversation, actor).is_done for conversation in conversations)


def _resolve(keys: Sequence[str], actor: User) -> int:
    return sum(result.is_done for result in resolve([UUID(key) for key in keys], actor))


def _merge(keys: Sequence[str], actor: User) -> int:
    """Keys name the escalations to keep. The repair writes what it closed into the history; who asked is noted."""
    kept = {str(pk) for pk in see(UUID(key) for key in keys)}
    repair = DuplicateEscalations()
    with transaction.atomic():
        groups = [group for group in repair.find(connection) if group.kept in kept]
        if groups and repair.apply(connection, groups):
            note([UUID(group.kept) for group in groups], actor, _("Closed this customer's duplicates."))
    return len(groups)


def _accept(keys: Sequence[str], actor: User) -> int:
    accepted = [KnownReason(reason=key, accepted_by=actor) for key in keys]
    KnownReason.objects.bulk_create(accepted, ignore_conflicts=True)
    return len(accepted)


_REMEDIES: dict[Kind, Remedy] = {
    Kind.GHOST: _open,
    Kind.DUPLICATE: _merge,
    Kind.DISCONNECTED: _resolve,
    Kind.ANSWERED: _resolve,
    Kind.REASON: _accept,
}
