"""Repair indexes that an interrupted build left INVALID: every write maintains them, and no query uses them."""

from dataclasses import dataclass

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from waops.database.fetch import fetch
from waops.dbops.plan import PlannedIndex, plan
from waops.schema import catalog
from waops.schema.errors import IndexBeingBuilt
from waops.schema.locks import persist
from waops.schema.timeouts import UNLIMITED, milliseconds, server_settings

PAUSE = 1.0

# REINDEX CONCURRENTLY names what it builds …_ccnew, and what it replaces …_ccold; no one else uses such names.
INVALID = """
    SELECT pg_catalog.format('%I.%I', namespace.nspname, relation.relname),
           pg_catalog.format('%I.%I', namespace.nspname, heap.relname),
           relation.relname ~ '_cc(new|old)[0-9]*$'
    FROM pg_catalog.pg_index AS index
    JOIN pg_catalog.pg_class AS relation ON relation.oid = index.indexrelid
    JOIN pg_catalog.pg_class AS heap ON heap.oid = index.indrelid
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
    WHERE NOT index.indisvalid AND relation.relkind = 'i'
      AND namespace.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    ORDER BY 1
"""


@dataclass(frozen=True)
class InvalidIndex:
    """`name` and `table` are qualified. A leftover of REINDEX is dropped, not rebuilt."""

    name: str
    table: str
    is_leftover: bool


def invalid_indexes(connection: BaseDatabaseWrapper) -> list[InvalidIndex]:
    """All INVALID indexes, in every schema, including those that are currently being built."""
    return fetch(connection, InvalidIndex, INVALID)


def repair_index(connection: BaseDatabaseWrapper, index: InvalidIndex) -> None:
    """Drop a leftover, build an index of the plan as its migration does, rebuild any other.

    Call it outside a transaction. Raises waops.schema.errors.MigrationStopped if the index is being built or a lock is
    not acquired.
    """
    planned = next((planned for planned in plan().indexes if planned.statement.identity == index.name), None)
    if planned is not None:
        build(connection, planned)
        return
    verb = "DROP INDEX CONCURRENTLY" if index.is_leftover else "REINDEX INDEX CONCURRENTLY"

    def attempt() -> None:
        if holders := catalog.maintaining(connection, index.table):
            raise IndexBeingBuilt(name=index.name, holders=catalog.holders_text(holders))
        with connection.cursor() as cursor:
            cursor.execute(f"{verb} {index.name}")

    timeout = settings.MIGRATION_LOCK_TIMEOUT
    with server_settings(connection, local=False, lock_timeout=milliseconds(timeout), statement_timeout=UNLIMITED):
        persist(
            connection,
            attempt,
            doing=format_lazy(_("Repairing index {name}"), name=index.name),
            lock_timeout=timeout,
            attempts=settings.MIGRATION_ATTEMPTS,
            pause=PAUSE,
        )


def build(connection: BaseDatabaseWrapper, planned: PlannedIndex) -> None:
    """Build as the migration does. Raises waops.schema.errors.MigrationStopped."""
    with connection.schema_editor(atomic=False) as editor:
        planned.operation.database_forwards(planned.migration[0], editor, None, None)
