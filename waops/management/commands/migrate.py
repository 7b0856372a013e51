"""Django's `migrate`, one at a time, on one session, and with errors an operator can act on."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as MigrateCommand
from django.db import OperationalError, ProgrammingError, connections
from django.utils.translation import gettext as _

from waops.operations.errors import MigrationStopped, TransactionPooler
from waops.operations.locks import sqlstate
from waops.operations.turn import migration_turn

INSUFFICIENT_PRIVILEGE = "42501"


class Command(MigrateCommand):
    def handle(self, *args: Any, **options: Any) -> None:
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        try:
            if settings.DATABASE_POOL_MODE == "transaction":
                raise TransactionPooler
            # Before the plan is made: whoever waited finds less to do.
            with migration_turn(connections[options["database"]]):
                super().handle(*args, **options)
        except MigrationStopped as error:
            if options["verbosity"]:
                self.stdout.write("")  # ends the line of the migration that stopped
            raise CommandError(str(error)) from error
        except OperationalError as error:
            raise CommandError(
                _("The database stopped answering: %(error)s Run migrate again: it goes on where it stopped.")
                % {"error": str(error).strip()}
            ) from error
        except ProgrammingError as error:
            if sqlstate(error) != INSUFFICIENT_PRIVILEGE:
                raise
            raise CommandError(
                _(
                    "This role may not do that: %(error)s. "
                    "Run migrate as the role that owns the tables (on Supabase: postgres)."
                )
                % {"error": str(error).strip()}
            ) from error
