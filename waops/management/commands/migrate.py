"""Django's `migrate`: one at a time, in one session, with errors an operator can act on."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as MigrateCommand
from django.db import OperationalError, ProgrammingError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from waops.database.errors import sqlstate
from waops.dbops.damage import find_damage
from waops.dbops.findings import Damage
from waops.dbops.plan import other_migrations
from waops.dbops.repairs.damaged import everything_damaged
from waops.schema.errors import Damaged, MigrationStopped, OtherMigrations, TransactionPooler
from waops.schema.preflight import refuse_failing_writes
from waops.schema.rest import reload_rest_schema
from waops.schema.turn import migration_turn

INSUFFICIENT_PRIVILEGE = "42501"
SHOWN = 10


def refuse_damage(connection: BaseDatabaseWrapper, find: Callable[[BaseDatabaseWrapper], list[Damage]]) -> None:
    """Raise Damaged if our objects are damaged. A completely lost schema is not refused: migrate creates it again."""
    damages = [damage for damage in find(connection) if damage.code != "schema.lost"]
    if damages:
        lines = [f"  {damage.subject}: {damage.what}" for damage in damages]
        raise Damaged(damages="\n".join(lines[:SHOWN] + ["  …"] * (len(lines) > SHOWN)))


def refuse_other_migrations(connection: BaseDatabaseWrapper) -> None:
    """Raise OtherMigrations if another version migrated this database. Some of its migrations may have the same names
    as ours and would be mistaken for them.
    """
    if others := [".".join(key) for key in other_migrations(connection)]:
        raise OtherMigrations(names=", ".join(others[:SHOWN] + ["…"] * (len(others) > SHOWN)))


class Command(MigrateCommand):
    def migration_progress_callback(self, action: str, migration: Any = None, fake: bool = False) -> None:
        """End the line that announces a migration, because log lines may follow before it is done."""
        super().migration_progress_callback(action, migration, fake)
        if self.verbosity >= 1 and action.endswith("_start"):
            self.stdout.write("")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        try:
            if settings.DATABASE_POOL_MODE == "transaction":
                raise TransactionPooler
            # Before the plan is made: a migrate that waited here finds less to do.
            connection = connections[options["database"]]
            with migration_turn(connection):
                refuse_other_migrations(connection)
                is_reversal = options["migration_name"] == "zero"
                if not is_reversal:
                    refuse_damage(connection, find_damage)
                    refuse_failing_writes(connection)
                super().handle(*args, **options)
                reload_rest_schema(connection)
                if not is_reversal:
                    refuse_damage(connection, everything_damaged)
        except MigrationStopped as error:
            raise CommandError(str(error)) from error
        except OperationalError as error:
            raise CommandError(
                _("The database stopped responding: %(error)s Run migrate again: it continues where it stopped.")
                % {"error": str(error).strip()}
            ) from error
        except ProgrammingError as error:
            if sqlstate(error) != INSUFFICIENT_PRIVILEGE:
                raise
            raise CommandError(
                _(
                    "This role lacks a privilege: %(error)s. Run migrate as the role that owns the tables (on "
                    "Supabase: postgres)."
                )
                % {"error": str(error).strip()}
            ) from error
