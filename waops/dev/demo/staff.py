"""Accounts to try the app with: one for each group, a colleague at the desk, and an administrator."""

from django.contrib.auth.models import Group
from django.db import transaction

from waops.access.people import User
from waops.access.permissions import MANAGERS, OPERATORS, SUPPORT

ACCOUNTS = {"support": SUPPORT, "support2": SUPPORT, "manager": MANAGERS, "operator": OPERATORS, "admin": None}
"""User name and group; None is an administrator."""

NAMES = {"support2": {"first_name": "نورة", "last_name": "العتيبي"}}
"""Of those who have one: a colleague whose name runs the other way."""

PASSWORD = "demo-{username}"  # noqa: S105 printed by the command, for development only


def create_staff() -> list[tuple[str, str, str | None]]:
    """User name, password and group of each account. Safe to repeat."""
    with transaction.atomic():
        return [(username, create(username, group), group) for username, group in ACCOUNTS.items()]


def create(username: str, group: str | None) -> str:
    """Make that account, or set its rights right again; the password it was made with."""
    password = PASSWORD.format(username=username)
    user, created = User.objects.get_or_create(username=username, defaults=NAMES.get(username, {}))
    user.is_active = user.is_staff = True
    user.is_superuser = group is None
    if created:  # checking one costs as much as setting it, and `make run` calls this each time
        user.set_password(password)
    user.save()
    user.groups.set(Group.objects.filter(name=group))
    return password
