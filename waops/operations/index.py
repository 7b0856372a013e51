"""CreateIndex: one index, built while the service goes on writing."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from waops.operations import catalog, errors
from waops.operations.catalog import FoundRelation, IndexStatement, WantedIndex
from waops.operations.duplicates import refuse_duplicates
from waops.operations.locks import persist, sqlstate
from waops.operations.records import Record
from waops.operations.report import tell
from waops.operations.statements import execute
from waops.operations.timeouts import UNLIMITED, milliseconds, server_settings

PAUSE = 1.0
"""Seconds between attempts; the wait itself is the lock timeout, which holds up no writer here."""
UNIQUE_VIOLATION = "23505"


class CreateIndex(Operation):
    """Build `sql` CONCURRENTLY: one `CREATE [UNIQUE] INDEX name ON public.table …`, written without that word.

    An index of that name, table and definition that was there already is adopted, and kept when this is reversed. An
    INVALID leftover of an interrupted build is dropped and built again. `repair` names the command that removes what
    stands in the way of a unique index.

    Only in a migration with `atomic = False`. Raises the classes of waops.operations.errors.
    """

    reversible = True
    reduces_to_sql = True
    atomic = False

    def __init__(self, sql: str, *, repair: str | None = None) -> None:
        self.sql = sql
        self.repair = repair
        self.statement = IndexStatement.parse(sql)
        if self.statement.unique and repair is None:
            raise ValueError(f"Duplicates can stop the unique index {self.statement.name}: name its repair command.")

    def describe(self) -> str:
        return f"Build index {self.statement.identity} concurrently"

    @property
    def migration_name_fragment(self) -> str:
        return self.statement.name

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The foreign tables' models are not managed: their state has no indexes."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.collect_sql:
            schema_editor.execute(self.statement.sql(concurrently=True))
            return
        record = Record("index", self.statement.identity, app_label)
        doing = format_lazy(_("Building index {name}"), name=self.statement.identity)
        self._persist(schema_editor, doing, lambda: self._build(schema_editor.connection, record))

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.collect_sql:
            schema_editor.execute(f"DROP INDEX CONCURRENTLY {self.statement.identity}")
            return
        record = Record("index", self.statement.identity, app_label)
        doing = format_lazy(_("Dropping index {name}"), name=self.statement.identity)
        self._persist(schema_editor, doing, lambda: self._remove(schema_editor.connection, record))

    def _persist(
        self, schema_editor: BaseDatabaseSchemaEditor, doing: str | Promise, attempt: Callable[[], None]
    ) -> None:
        connection = schema_editor.connection
        if connection.in_atomic_block:
            raise errors.InsideTransaction(name=self.statement.identity)
        timeout = settings.MIGRATION_LOCK_TIMEOUT
        with server_settings(
            connection,
            local=False,
            lock_timeout=milliseconds(timeout),
            statement_timeout=UNLIMITED,
            transaction_timeout=UNLIMITED,
        ):
            persist(
                connection,
                attempt,
                doing=doing,
                lock_timeout=timeout,
                attempts=settings.MIGRATION_ATTEMPTS,
                pause=PAUSE,
            )

    def _build(self, connection: BaseDatabaseWrapper, record: Record) -> None:
        wanted = self._wanted(connection)
        found = self._found(connection, wanted)
        if found and found.valid:
            record.write(connection, {"definition": found.definition})
            return
        record.write(connection, None)
        if found:
            self._drop_leftover(connection)
        if self.repair:
            refuse_duplicates(connection, self.statement, wanted, self.repair)
        try:
            execute(connection, self.statement.sql(concurrently=True))
        except DatabaseError as error:
            if sqlstate(error) == UNIQUE_VIOLATION and self.repair:
                # Duplicates came in while it was built.
                self._drop_leftover(connection)
                refuse_duplicates(connection, self.statement, wanted, self.repair)
            raise
        found = self._found(connection, wanted)
        if found is None or not found.valid:
            raise errors.IndexInvalid(name=self.statement.identity)

    def _remove(self, connection: BaseDatabaseWrapper, record: Record) -> None:
        recorded = record.read(connection)
        if recorded is None:
            message = _("Index %(name)s is left alone: nothing says that this app built it.")
            tell(message, name=self.statement.identity)
            return
        (before,) = recorded
        if before is None and self._found(connection, self._wanted(connection)):
            self._drop(connection)
        record.delete(connection)

    def _wanted(self, connection: BaseDatabaseWrapper) -> WantedIndex:
        names = {"name": self.statement.identity, "table": self.statement.qualified_table}
        if not catalog.table_exists(connection, self.statement.qualified_table):
            raise errors.TableMissing(**names)
        try:
            return catalog.describe(connection, self.statement)
        except DatabaseError as error:
            if sqlstate(error) is None or str(sqlstate(error)).startswith("42"):
                raise errors.IndexNotPossible(**names, error=str(error).strip()) from error
            raise

    def _found(self, connection: BaseDatabaseWrapper, wanted: WantedIndex) -> FoundRelation | None:
        """The index, valid or not. Raises if the name is something else's."""
        found = catalog.find_relation(connection, self.statement.identity)
        if found is None:
            return None
        facts = {"name": self.statement.identity, "found": found.definition, "wanted": self.statement.sql()}
        if found.table != self.statement.qualified_table:
            raise errors.IndexNameTaken(**facts)
        if not wanted.is_defined_as(found):
            raise errors.IndexDefinitionDiffers(**facts)
        return found

    def _drop_leftover(self, connection: BaseDatabaseWrapper) -> None:
        """Drop an INVALID index, unless it is INVALID because somebody is building it."""
        holders = catalog.maintaining(connection, self.statement.qualified_table)
        if holders:
            raise errors.IndexBeingBuilt(name=self.statement.identity, holders=catalog.holders_text(holders))
        self._drop(connection)

    def _drop(self, connection: BaseDatabaseWrapper) -> None:
        execute(connection, f"DROP INDEX CONCURRENTLY IF EXISTS {self.statement.identity}")
