"""Accounts to try the app with: one for each group, a colleague at the desk, and an administrator."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.translation import gettext as _
from rich.console import Console
from rich.table import Table

from waops.models import User
from waops.permissions import MANAGERS, OPERATORS, SUPPORT

ACCOUNTS = {"support": SUPPORT, "support2": SUPPORT, "manager": MANAGERS, "operator": OPERATORS, "admin": None}
"""User name and group; None is an administrator."""

NAMES = {"support2": {"first_name": "نورة", "last_name": "العتيبي"}}
"""Of those who have one: a colleague whose name runs the other way."""

PASSWORD = "demo-{username}"  # noqa: S105 printed below, for development only


class Command(BaseCommand):
    help = "Creates demo accounts, for development: support, support2, manager, operator and admin. Harmless to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.EMBEDDED_POSTGRES or settings.DEBUG):
            raise CommandError(
                _(
                    "Demo accounts have known passwords and do not belong on a real database. "
                    "Make an administrator with: manage.py createsuperuser"
                )
            )
        table = Table(_("User name"), _("Password"), _("Group"))
        with transaction.atomic():
            for username, group in ACCOUNTS.items():
                table.add_row(username, create(username, group), group or _("Administrator"))
        Console(file=self.stdout).print(table)  # type: ignore[arg-type]


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
