"""Rows of other tables that refer to a row which a repair removes.

Only the catalog knows those tables, because deployments add their own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext_lazy as _

from waops.database.errors import sqlstate
from waops.schema.errors import MigrationStopped

ARCHIVE = f"{settings.APP_SCHEMA}.waops_archivedrow"
UNIQUE_VIOLATIONS = {"23505", "23P01"}
INSUFFICIENT_PRIVILEGE = "42501"
FOREIGN_KEY_VIOLATION = "23503"

# Keys of partitions belong to the key of the partitioned table.
KEYS = """
    SELECT pg_catalog.format('%%I.%%I', namespace.nspname, child.relname),
           ARRAY(
               SELECT pg_catalog.quote_ident(attname)
               FROM pg_catalog.unnest(key.conkey) WITH ORDINALITY AS part (number, place)
               JOIN pg_catalog.pg_attribute ON attrelid = key.conrelid AND attnum = part.number ORDER BY part.place
           ),
           ARRAY(
               SELECT pg_catalog.quote_ident(attname)
               FROM pg_catalog.unnest(key.confkey) WITH ORDINALITY AS part (number, place)
               JOIN pg_catalog.pg_attribute ON attrelid = key.confrelid AND attnum = part.number ORDER BY part.place
           ),
           key.confdeltype::text
    FROM pg_catalog.pg_constraint AS key
    JOIN pg_catalog.pg_class AS child ON child.oid = key.conrelid
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = child.relnamespace
    WHERE key.contype = 'f' AND key.confrelid = pg_catalog.to_regclass(%s) AND key.conparentid = 0
    ORDER BY key.oid
"""
ARCHIVE_CHILD = """
    INSERT INTO {archive} ("table", row_id, "row", repair, archived_at)
    SELECT %s, COALESCE(pg_catalog.to_jsonb(child) ->> 'id', child.ctid::text), pg_catalog.to_jsonb(child), %s,
           pg_catalog.now()
    FROM {table} AS child WHERE child.ctid = %s::tid AND child.tableoid = %s
"""


class LinkNotMovable(MigrationStopped):
    """This role cannot change a table that refers to a row to be removed."""

    message = _(
        "Rows of %(table)s refer to rows that are to be removed and could not be updated: %(error)s. Nothing was "
        "changed in this batch. Run the repair as a role that can change that table."
    )


class LinkOutOfReach(MigrationStopped):
    """The row that is kept is in a child table, which a foreign key does not see."""

    message = _(
        "Rows of %(table)s refer to rows that are to be removed, and cannot refer to those that are kept, because "
        "these are in a child table, which a foreign key does not reach: %(error)s. Nothing was changed in this batch. "
        "Move the rows from the child table into its parent first."
    )


@dataclass(frozen=True)
class ForeignKey:
    """`table` is qualified; `columns` refer to `targets`, in the same order. All are quoted. `action`: confdeltype."""

    table: str
    columns: list[str]
    targets: list[str]
    action: str


def referring_keys(connection: BaseDatabaseWrapper, table: str) -> list[ForeignKey]:
    """Every foreign key that refers to the table, in any schema."""
    with connection.cursor() as cursor:
        cursor.execute(KEYS, [table])
        return [ForeignKey(*row) for row in cursor.fetchall()]


def move_links(connection: BaseDatabaseWrapper, table: str, pairs: Sequence[tuple[str, str]], repair: str) -> None:
    """Make every reference to the first row of a pair (ids) refer to the second, inside the caller's
    transaction.

    A row for which that would break a unique constraint is archived and removed. The rows of the first ids must be
    locked. Raises LinkNotMovable, also if a trigger keeps a row from being moved, and LinkOutOfReach.
    """
    if not pairs:
        return
    for key in referring_keys(connection, table):
        try:
            _move(connection, table, key, pairs, repair)
        except DatabaseError as error:
            reasons = {INSUFFICIENT_PRIVILEGE: LinkNotMovable, FOREIGN_KEY_VIOLATION: LinkOutOfReach}
            if (reason := reasons.get(sqlstate(error) or "")) is None:
                raise
            raise reason(table=key.table, error=" ".join(str(error).split())) from error


def _move(
    connection: BaseDatabaseWrapper, table: str, key: ForeignKey, pairs: Sequence[tuple[str, str]], repair: str
) -> None:
    joined = " AND ".join(
        f"child.{column} = gone.{target}" for column, target in zip(key.columns, key.targets, strict=True)
    )
    changes = ", ".join(f"{column} = kept.{target}" for column, target in zip(key.columns, key.targets, strict=True))
    parents = f"""
        ROWS FROM (pg_catalog.unnest(%s::text[]), pg_catalog.unnest(%s::text[])) AS pair (gone, kept)
        JOIN {table} AS gone ON gone.id = pair.gone::uuid
        JOIN {table} AS kept ON kept.id = pair.kept::uuid
    """
    ids = [[gone for gone, _kept in pairs], [kept for _gone, kept in pairs]]
    move = f"UPDATE {key.table} AS child SET {changes} FROM {parents} WHERE {joined}"  # noqa: S608
    left = f"FROM {key.table} AS child, {parents} WHERE {joined}"
    with connection.cursor() as cursor:
        if not _tried(connection, move, ids):
            # One by one, because some would become duplicates in their table.
            cursor.execute(
                f"SELECT child.ctid::text, child.tableoid, pair.gone, pair.kept {left} ORDER BY 1",
                ids,
            )
            for place, partition, gone, kept in cursor.fetchall():
                here = f"{move} AND child.ctid = %s::tid AND child.tableoid = %s"
                if not _tried(connection, here, [[gone], [kept], place, partition]):
                    _remove(connection, key.table, place, partition, repair)
        # A row that a trigger kept unchanged would be lost with the row that it refers to.
        cursor.execute(f"SELECT EXISTS (SELECT {left})", ids)
        if cursor.fetchone() == (True,):
            raise LinkNotMovable(table=key.table, error=_("a trigger on that table keeps them as they are"))


def _tried(connection: BaseDatabaseWrapper, sql: str, parameters: Sequence[Any]) -> bool:
    """Whether it worked without breaking a unique constraint."""
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except DatabaseError as error:
        if sqlstate(error) not in UNIQUE_VIOLATIONS:
            raise
        return False
    return True


def _remove(connection: BaseDatabaseWrapper, table: str, place: str, partition: int, repair: str) -> None:
    """Archive the row and everything its deletion deletes or changes, then delete it."""
    _archive(connection, table, place, partition, repair)
    for key in referring_keys(connection, table):
        if key.action in ("a", "r"):
            continue  # the deletion fails, and with it the batch: nothing is lost
        for child_place, child_partition in _children(connection, table, key, place, partition):
            if key.action == "c":
                _remove(connection, key.table, child_place, child_partition, repair)
            else:
                _archive(connection, key.table, child_place, child_partition, repair)
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE ctid = %s::tid AND tableoid = %s", [place, partition])  # noqa: S608


def _children(
    connection: BaseDatabaseWrapper, table: str, key: ForeignKey, place: str, partition: int
) -> Iterable[tuple[str, int]]:
    joined = " AND ".join(
        f"child.{column} = parent.{target}" for column, target in zip(key.columns, key.targets, strict=True)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT child.ctid::text, child.tableoid FROM {key.table} AS child JOIN {table} AS parent ON {joined}"  # noqa: S608
            " WHERE parent.ctid = %s::tid AND parent.tableoid = %s",
            [place, partition],
        )
        return list(cursor.fetchall())


def _archive(connection: BaseDatabaseWrapper, table: str, place: str, partition: int, repair: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            ARCHIVE_CHILD.format(archive=ARCHIVE, table=table),
            [table.removeprefix("public."), repair, place, partition],
        )
