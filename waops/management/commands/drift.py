"""List, or accept, how the database differs from the one this app was written for."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import connection
from django.utils.translation import gettext as _

from waops.operate.doctor import functions
from waops.operate.drift import accept, find_drift
from waops.operate.findings import worst_first
from waops.operate.people import shell_user
from waops.operate.reading import bounded
from waops.operate.terminal import OperationsCommand


class Command(OperationsCommand):
    help = (
        "How the service's tables differ from those this app was written for, and whether our functions, their grants "
        "and our triggers are as they were installed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--accept", metavar="KEY", help="Report this difference no more.")

    def run(self, *, accept: str | None, **options: Any) -> bool:
        if accept is not None:
            self._accept(accept)
            return False
        with bounded(connection):
            findings = [*find_drift(connection), *functions.examine(connection).findings]
        return self.show(findings=worst_first(findings))

    def _accept(self, key: str) -> None:
        try:
            accept(connection, key, shell_user())
        except LookupError as error:
            raise CommandError(_("This is not a difference now: %(key)s") % {"key": key}) from error
        self.stdout.write(_("Accepted: %(key)s") % {"key": key})
