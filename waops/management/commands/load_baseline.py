"""Load the baseline into the configured database, which must be empty."""

from argparse import ArgumentParser
from typing import Any, get_args

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils.translation import gettext as _

from waops.baseline import BaselineError, Variant, load
from waops.embedded import EmbeddedServerError
from waops.embedded.server import SUPERUSER


class Command(BaseCommand):
    help = (
        "For development and tests: creates, in an empty database, the tables, functions and roles that this app "
        "expects to find on Supabase. Needs a superuser; the embedded server has one."
    )
    # The checks look for the very tables that this creates.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--variant",
            choices=get_args(Variant),
            default="before",
            help="The deployed database before the owner's plan, or with the plan's indexes and functions (before).",
        )
        parser.add_argument(
            "--without-optional-tables",
            action="store_true",
            help="Leave out support_team_numbers and customer_profiles, which some deployments lack.",
        )
        parser.add_argument(
            "--older",
            action="store_true",
            help="As older deployments: escalation_threshold, and the older list of reasons for an escalation.",
        )

    def handle(
        self, *, variant: Variant, without_optional_tables: bool, older: bool, verbosity: int, **options: Any
    ) -> None:
        try:
            with superuser_connection() as superuser:
                load(superuser, variant, optional_tables=not without_optional_tables, older=older)
                database = superuser.info.dbname
        except (BaselineError, EmbeddedServerError, psycopg.OperationalError) as error:
            raise CommandError(str(error)) from error
        if verbosity:
            self.stdout.write(
                _("Loaded the baseline, variant “%(variant)s”, into database “%(database)s”.")
                % {"variant": variant, "database": database}
            )


def superuser_connection() -> psycopg.Connection:
    """To the configured database: the embedded server's as its superuser, any other as DATABASE_URL says.

    Not Django's own connection: on the embedded server that is the tables' owner's.
    """
    params = connection.get_connection_params()
    if settings.EMBEDDED_POSTGRES:
        params["user"] = SUPERUSER
    return psycopg.connect(**params)
