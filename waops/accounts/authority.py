"""Decide who may change which accounts and groups, so that no one can give more than they have.

Superusers may change every account and group. Others with `change_user` or `change_group` may change those that have no
permission beyond their own. Only superusers may change groups that restrict their members (to some businesses, or to a
second factor), because leaving or deleting such a group would lift the restriction.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from waops.access.people import User
from waops.access.readers import limits


def outranks(request: HttpRequest, person: User) -> bool:
    """Whether the current user has every permission of that account, so that taking it over would gain nothing."""
    actor: Any = request.user
    return actor.is_superuser or (not person.is_superuser and set(person.granted) <= set(actor.granted))


def permissions_to_give(request: HttpRequest) -> QuerySet[Permission]:
    actor: Any = request.user
    if actor.is_superuser:
        return Permission.objects.all()
    return Permission.objects.filter(Q(user=actor) | Q(group__user=actor)).distinct()


def groups_to_give(request: HttpRequest) -> QuerySet[Group]:
    """Groups whose members the current user may choose, and which they may change."""
    actor: Any = request.user
    if actor.is_superuser:
        return Group.objects.all()
    beyond = Permission.objects.exclude(pk__in=permissions_to_give(request).values("pk"))
    limited = limits().filter(group__isnull=False)
    binding = Q(pk__in=limited.values("group")) | Q(name__in=settings.SECOND_FACTOR_REQUIRED)
    return Group.objects.exclude(permissions__in=beyond).exclude(binding)
