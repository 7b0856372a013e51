"""Print SQL that creates the app's login roles."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from waops.dbops.role import migrator_sql, role_sql


class Command(BaseCommand):
    help = (
        "Prints SQL for two login roles: the app's, with only the rights its pages need, and one for migrate that acts "
        "as the tables' owner. Runs nothing."
    )
    # The operator may need this because a check failed.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only", choices=["app", "migrator"], help="Print only this role.")
        parser.add_argument("--name", default="waops_app", help="Name of the app's role (waops_app).")
        parser.add_argument(
            "--migrator", default="waops_migrator", help="Name of the migrator's role (waops_migrator)."
        )

    def handle(self, *, only: str | None, name: str, migrator: str, **options: Any) -> None:
        try:
            # In the order to run them: the app's role needs what migrate creates.
            if only != "app":
                self.stdout.write(migrator_sql(migrator))
            if only != "migrator":
                self.stdout.write(role_sql(name))
        except DatabaseError as error:
            raise CommandError(str(error).strip()) from error
