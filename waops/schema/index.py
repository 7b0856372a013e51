"""CreateIndex: build one index while the service keeps writing."""

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunSQL
from django.db.migrations.operations.base import Operation
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from waops.database.errors import sqlstate
from waops.database.fetch import execute, fetch_one
from waops.schema import catalog, errors
from waops.schema.catalog import FoundRelation, IndexStatement, WantedIndex
from waops.schema.duplicates import refuse_duplicates
from waops.schema.locks import persist
from waops.schema.records import Record
from waops.schema.report import tell
from waops.schema.timeouts import UNLIMITED, milliseconds, server_settings

PAUSE = 1.0
"""Seconds between attempts. The wait itself is the lock timeout, which blocks no writer here."""
UNIQUE_VIOLATION = "23505"
BUILT_BY_US = "waops:built"
"""Comment on indexes this app built, so that a copy restored without our records knows which are ours."""
COMMENT_OF = "SELECT pg_catalog.obj_description(pg_catalog.to_regclass(%s)::oid, 'pg_class')"


class CreateIndex(RunSQL):
    """Build `sql` CONCURRENTLY: one `CREATE [UNIQUE] INDEX name ON public.table …`, written without that
    word.

    If an index with that name, table and definition already exists, it is adopted, and kept on reversal. An INVALID
    leftover of an interrupted build is dropped and built again. `repair` names the command that removes rows which
    prevent a unique index.

    Only in a migration with `atomic = False`. Raises the classes of waops.schema.errors.
    """

    def __init__(self, sql: str, *, repair: str | None = None) -> None:
        self.repair = repair
        self.statement = IndexStatement.parse(sql)
        super().__init__(self.statement.sql(concurrently=True), f"DROP INDEX CONCURRENTLY {self.statement.identity}")
        if self.statement.unique and repair is None:
            raise ValueError(f"Duplicates can stop the unique index {self.statement.name}: name its repair command.")

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Refer to the index by its statement as written, without CONCURRENTLY."""
        return Operation.deconstruct(self)

    def describe(self) -> str:
        return f"Build index {self.statement.identity} concurrently"

    @property
    def migration_name_fragment(self) -> str:
        return self.statement.name

    def record(self, app_label: str) -> Record:
        return Record("index", self.statement.identity, app_label)

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.collect_sql:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        record = self.record(app_label)
        doing = format_lazy(_("Building index {name}"), name=self.statement.identity)
        self._persist(schema_editor, doing, lambda: self._build(schema_editor.connection, record))

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.collect_sql:
            super().database_backwards(app_label, schema_editor, from_state, to_state)
            return
        record = self.record(app_label)
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
            record.write(connection, None if self._is_marked(connection) else {"definition": found.definition})
            if record.read(connection) == (None,):
                self._mark(connection)  # the attempt that built it may have been interrupted before this
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
                # Duplicates were written during the build.
                self._drop_leftover(connection)
                refuse_duplicates(connection, self.statement, wanted, self.repair)
            raise
        found = self._found(connection, wanted)
        if found is None or not found.valid:
            raise errors.IndexInvalid(name=self.statement.identity)
        self._mark(connection)

    def _is_marked(self, connection: BaseDatabaseWrapper) -> bool:
        (comment,) = fetch_one(connection, COMMENT_OF, self.statement.identity)
        return bool(comment == BUILT_BY_US)

    def _mark(self, connection: BaseDatabaseWrapper) -> None:
        """An index without the mark belongs to the service and is kept on reversal."""
        if not self._is_marked(connection):
            execute(connection, f"COMMENT ON INDEX {self.statement.identity} IS '{BUILT_BY_US}'")

    def _remove(self, connection: BaseDatabaseWrapper, record: Record) -> None:
        recorded = record.read(connection)
        if recorded is None:
            message = _("Index %(name)s is kept: there is no record that this app built it.")
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
        """The index, valid or not. Raises if another object has the name."""
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
        """Drop an INVALID index, unless another session is building it."""
        holders = catalog.maintaining(connection, self.statement.qualified_table)
        if holders:
            raise errors.IndexBeingBuilt(name=self.statement.identity, holders=catalog.holders_text(holders))
        self._drop(connection)

    def _drop(self, connection: BaseDatabaseWrapper) -> None:
        execute(connection, f"DROP INDEX CONCURRENTLY IF EXISTS {self.statement.identity}")


class CreateIndexWherePossible(CreateIndex):
    """As CreateIndex, but skips the index if the table or one of its columns is missing."""

    def _build(self, connection: BaseDatabaseWrapper, record: Record) -> None:
        if not catalog.table_exists(connection, self.statement.qualified_table):
            return
        try:
            super()._build(connection, record)
        except errors.IndexNotPossible:
            return

    def _remove(self, connection: BaseDatabaseWrapper, record: Record) -> None:
        if record.read(connection) is not None:
            super()._remove(connection, record)
