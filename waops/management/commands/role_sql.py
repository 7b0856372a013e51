"""Print SQL that creates a login role for the app."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from waops.role import role_sql


class Command(BaseCommand):
    help = "Prints SQL for a login role of the app's own, with the rights its pages need and no others. Runs nothing."
    # The checks may be what sent the operator here.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", default="waops_app", help="Name of the role (waops_app).")

    def handle(self, *, name: str, **options: Any) -> None:
        self.stdout.write(role_sql(name))
