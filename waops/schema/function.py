"""InstallFunction: install a database function in place of the deployed version."""

from dataclasses import replace

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext_lazy as _

from waops.database.errors import sqlstate
from waops.database.fetch import execute, fetch_one
from waops.schema import routines
from waops.schema.errors import FunctionInUse
from waops.schema.records import Record
from waops.schema.report import tell
from waops.schema.routines import Routine, find_routines
from waops.schema.sql_file import SQLFileOperation
from waops.schema.statements import function_identity, if_exists
from waops.schema.timeouts import server_settings

CANNOT_REPLACE = {"42P13", "42809"}
"""invalid_function_definition (other argument names or result) and wrong_object_type (a procedure, for example)."""
DEPENDENT_OBJECTS = "2BP01"


class InstallFunction(SQLFileOperation):
    """Create or replace the function in the file, which is one CREATE OR REPLACE FUNCTION with qualified
    names.

    Afterwards exactly one function of that name exists. It replaces the deployed one if arguments and result allow it;
    otherwise all overloads are dropped first. PUBLIC, anon and authenticated cannot execute it; service_role can,
    unless `grant=False` (for functions that only the app or other functions call).

    Reversing drops the function and restores what was there before with owner, grants and comment. Raises LockNotHad,
    FunctionInUse.
    """

    def __init__(self, name: str, version: int = 1, *, grant: bool = True) -> None:
        super().__init__(name, version)
        self.grant = grant
        self.identity = function_identity(self.sql)
        """For example `public.name(uuid, text)`."""
        self._schema, _dot, self._function = self.identity.partition("(")[0].partition(".")

    def describe(self) -> str:
        return f"Install function {self.identity}"

    @property
    def record(self) -> Record:
        return Record("function", f"{self._schema}.{self._function}", f"{self.file.app_label}.{self.file.label}")

    def install(self, connection: BaseDatabaseWrapper) -> None:
        with server_settings(connection, local=True, search_path="pg_catalog"):
            replaced = self._find(connection)
            originals = self._originals(connection, replaced)
            self.record.write(connection, [routine.to_json() for routine in originals])
        self._create(connection, replaced)
        with server_settings(connection, local=True, search_path="pg_catalog"):
            signature = self._drop_other_overloads(connection)
            routines.set_grants(connection, signature, replaced, service=self.grant)
            routines.mark(connection, signature)

    def uninstall(self, connection: BaseDatabaseWrapper) -> None:
        recorded = self.record.read(connection)
        if recorded is None:
            tell(_("%(file)s is not reversed: there is no record that this app ran it."), file=self.file)
            return
        execute(connection, if_exists(self.reverse_sql))
        # Bodies are not checked: objects they use may be gone, and they were there before in that state.
        with server_settings(connection, local=True, search_path="pg_catalog", check_function_bodies="off"):
            for before in recorded[0]:
                routines.restore(connection, self._schema, self._function, Routine.from_json(before))
        self.record.delete(connection)

    def _create(self, connection: BaseDatabaseWrapper, replaced: list[Routine]) -> None:
        try:
            with transaction.atomic(using=connection.alias):
                execute(connection, self.sql)
        except DatabaseError as error:
            if sqlstate(error) not in CANNOT_REPLACE or not replaced:
                raise
            for routine in replaced:
                self._drop(connection, routine.signature)
            execute(connection, self.sql)

    def _drop_other_overloads(self, connection: BaseDatabaseWrapper) -> str:
        """Keeps the given signature."""
        (wanted,) = fetch_one(connection, "SELECT %s::pg_catalog.regprocedure::text", self.identity)
        for routine in self._find(connection):
            if routine.signature != wanted:
                self._drop(connection, routine.signature)
        return str(wanted)

    def _drop(self, connection: BaseDatabaseWrapper, signature: str) -> None:
        try:
            routines.drop(connection, signature)
        except DatabaseError as error:
            if sqlstate(error) == DEPENDENT_OBJECTS:
                raise FunctionInUse(name=signature, error=str(error).strip()) from error
            raise

    def _find(self, connection: BaseDatabaseWrapper) -> list[Routine]:
        return find_routines(connection, self._schema, self._function)

    def _originals(self, connection: BaseDatabaseWrapper, found: list[Routine]) -> list[Routine]:
        """What reversing restores, without our own functions left by an installation without records."""
        if self.record.read(connection) is not None:
            return []  # Installed again: the record stays.
        if self.record.exists_for_another(connection):
            return found
        ours = routines.find_ours(connection, self._schema, self._function, self.file.bodies())
        # Our own schema had nothing before.
        for signature in sorted(ours) if self._schema != settings.APP_SCHEMA else ():
            tell(
                _(
                    "%(name)s belongs to this app, and the record of what it replaced is lost. Reversing the migration "
                    "will remove it. If the service had its own version, deploy that again afterwards."
                ),
                name=signature,
            )
        return [
            # Replacing a function keeps its comment, so the service's own may carry our mark.
            replace(routine, comment=None) if (routine.comment or "").startswith(routines.MARK) else routine
            for routine in found
            if routine.signature not in ours
        ]
