"""InstallFunction: one stored function, over whatever version of it is deployed."""

import re

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext_lazy as _

from waops.operations import routines
from waops.operations.errors import FunctionInUse, FunctionNotCreated
from waops.operations.locks import sqlstate
from waops.operations.records import Record
from waops.operations.report import tell
from waops.operations.routines import Routine, find_routines
from waops.operations.sql_file import SQLFile, SQLFileOperation
from waops.operations.statements import execute, fetch_one
from waops.operations.timeouts import server_settings

IDENTITY = re.compile(r"(?P<schema>\w+)\.(?P<name>\w+)\((?P<arguments>.*)\)")

CANNOT_REPLACE = {"42P13", "42809"}
"""invalid_function_definition (other argument names or result) and wrong_object_type (a procedure, say)."""
DEPENDENT_OBJECTS = "2BP01"


class InstallFunction(SQLFileOperation):
    """Create or replace the function `identity`, as `public.name(uuid, text)`, from `sql/<name>.sql`.

    The file holds one CREATE OR REPLACE FUNCTION with qualified names. Afterwards exactly one function of that name
    exists: in place of the deployed one if arguments and result allow it, otherwise instead of all its overloads. It is
    closed to PUBLIC, anon and authenticated, and open to service_role unless `grant=False` (for what only the app or
    other functions call).

    Reversing runs the reverse file, which drops the function, and restores what stood there before with owner,
    grants and comment. Raises LockNotHad, FunctionInUse, FunctionNotCreated.
    """

    def __init__(self, identity: str, name: str, *, grant: bool = True) -> None:
        super().__init__(name)
        match = IDENTITY.fullmatch(identity)
        if match is None:
            raise ValueError(f"Not of the form schema.name(argument types): {identity}")
        self.identity = identity
        self.grant = grant
        self._schema, self._function = match["schema"], match["name"]

    def describe(self) -> str:
        return f"Install function {self.identity}"

    def install(self, connection: BaseDatabaseWrapper, file: SQLFile) -> None:
        with server_settings(connection, local=True, search_path="pg_catalog"):
            replaced = self._find(connection)
            self._record(file).write(connection, [routine.to_json() for routine in replaced])
        self._create(connection, file, replaced)
        with server_settings(connection, local=True, search_path="pg_catalog"):
            signature = self._drop_other_overloads(connection, file)
            routines.set_grants(connection, signature, replaced, service=self.grant)
            routines.mark(connection, signature)

    def uninstall(self, connection: BaseDatabaseWrapper, file: SQLFile) -> None:
        record = self._record(file)
        recorded = record.read(connection)
        if recorded is None:
            tell(_("%(file)s is not reversed: nothing says that this app ran it."), file=file)
            return
        execute(connection, file.reverse)
        # Bodies are not checked: what they name may have gone since, and they stood there like that.
        with server_settings(connection, local=True, search_path="pg_catalog", check_function_bodies="off"):
            for before in recorded[0]:
                routines.restore(connection, self._schema, self._function, Routine.from_json(before))
        record.delete(connection)

    def _create(self, connection: BaseDatabaseWrapper, file: SQLFile, replaced: list[Routine]) -> None:
        try:
            with transaction.atomic(using=connection.alias):
                execute(connection, file.forward)
        except DatabaseError as error:
            if sqlstate(error) not in CANNOT_REPLACE or not replaced:
                raise
            for routine in replaced:
                self._drop(connection, routine.signature)
            execute(connection, file.forward)

    def _drop_other_overloads(self, connection: BaseDatabaseWrapper, file: SQLFile) -> str:
        """Signature of the one that stays."""
        (wanted,) = fetch_one(connection, "SELECT pg_catalog.to_regprocedure(%s)::text", self.identity)
        if wanted is None:
            raise FunctionNotCreated(file=file, name=self.identity)
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

    def _record(self, file: SQLFile) -> Record:
        return Record("function", f"{self._schema}.{self._function}", f"{file.app_label}.{file.name}")
