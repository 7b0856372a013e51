"""Accounts for trying the app: one per group, a second one for the desk, and an administrator."""

from django.contrib.auth.models import Group
from django.db import transaction

from waops.access.people import User
from waops.access.permissions import MANAGERS, OPERATORS, SUPPORT

ACCOUNTS = {"support": SUPPORT, "support2": SUPPORT, "manager": MANAGERS, "operator": OPERATORS, "admin": None}
"""User name and group; None is an administrator."""

NAMES = {"support2": {"first_name": "نورة", "last_name": "العتيبي"}}
"""Display names. One is Arabic, so that right-to-left names are seen too."""

PASSWORD = "demo-{username}"  # noqa: S105 printed by the command, for development only


def create_staff() -> list[tuple[str, str, str | None]]:
    """Create the accounts; returns user name, password and group of each. Safe to repeat."""
    with transaction.atomic():
        return [(username, create(username, group), group) for username, group in ACCOUNTS.items()]


def create(username: str, group: str | None) -> str:
    """Create the account, or reset its permissions; returns the password it was created with."""
    password = PASSWORD.format(username=username)
    user, created = User.objects.get_or_create(username=username, defaults=NAMES.get(username, {}))
    user.is_active = user.is_staff = True
    user.is_superuser = group is None
    if created:  # checking one costs as much as setting it, and `make run` calls this each time
        user.set_password(password)
    user.save()
    user.groups.set(Group.objects.filter(name=group))
    return password
