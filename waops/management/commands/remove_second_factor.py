"""For whoever lost phone and backup codes, where no administrator can get in either."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from waops.models import User
from waops.sign_in.second_factor import remove


class Command(BaseCommand):
    help = "Removes the second factor and backup codes of an account. The history of logins keeps that it was done."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *, username: str, **options: Any) -> None:
        try:
            person = User.objects.get(username=username)
        except User.DoesNotExist:
            raise CommandError(_("There is no account “%(name)s”.") % {"name": username}) from None
        if not remove(person):
            raise CommandError(_("“%(name)s” has no second factor.") % {"name": username})
        self.stdout.write(_("The second factor of %(name)s is removed.") % {"name": username})
