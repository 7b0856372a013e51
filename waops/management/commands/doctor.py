"""Say what is wrong with the plan in this database, and what fixes it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from waops import incidents
from waops.operate.doctor import diagnose
from waops.operate.people import shell_user
from waops.operate.terminal import OperationsCommand


class Command(OperationsCommand):
    help = (
        "The state of the plan in this database: indexes, functions, flags, data, backups; each finding with its fix."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--acknowledge", metavar="FUNCTION", help="Its fallbacks until now have been seen to; then the same."
        )

    def run(self, *, acknowledge: str | None, **options: Any) -> bool:
        if acknowledge is not None and not incidents.acknowledge(acknowledge, shell_user()):
            raise CommandError(_("Nothing of “%(function)s” is waiting to be seen to.") % {"function": acknowledge})
        diagnosis = diagnose()
        return self.show(findings=diagnosis.findings, figures=diagnosis.figures)
