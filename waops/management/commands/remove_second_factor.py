"""Remove a second factor for someone who lost phone and backup codes, when no administrator can log in either."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from waops.access.people import User
from waops.accounts.second_factor import remove


class Command(BaseCommand):
    help = "Removes the second factor and backup codes of an account. The login history records it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="Name of the account.")

    def handle(self, *, username: str, **options: Any) -> None:
        try:
            person = User.objects.get(username=username)
        except User.DoesNotExist:
            raise CommandError(_("There is no account “%(name)s”.") % {"name": username}) from None
        if not remove(person):
            raise CommandError(_("“%(name)s” has no second factor.") % {"name": username})
        self.stdout.write(_("The second factor of %(name)s was removed.") % {"name": username})
