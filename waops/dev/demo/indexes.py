"""Drop indexes while many rows are written, and build each once at the end, which is several times faster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from psycopg import sql

from waops.dev.demo.catalog import Catalog, Connection, qualified

BUILD_MEMORY = "512MB"

# Not those of constraints: foreign keys of the rows that are written use them.
_INDEXES = """
    SELECT index.relname::text, pg_get_indexdef(index.oid), obj_description(index.oid, 'pg_class')
    FROM pg_catalog.pg_index AS entry
    JOIN pg_catalog.pg_class AS index ON index.oid = entry.indexrelid
    WHERE entry.indrelid = ANY (%s::regclass[]) AND entry.indisvalid
      AND NOT entry.indisreplident AND NOT entry.indisclustered
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conindid = index.oid)
    ORDER BY index.relname
"""


class Index(NamedTuple):
    name: str
    definition: str
    comment: str | None


def _find(connection: Connection, catalog: Catalog) -> list[Index]:
    names = [qualified(table) for table in catalog.columns if table.schema == "public"]
    rows = connection.execute(_INDEXES, (names,)).fetchall()
    return [
        Index(str(name), str(definition), None if comment is None else str(comment))
        for name, definition, comment in rows
    ]


def _build(connection: Connection, index: Index) -> None:
    connection.execute(index.definition.encode())
    if index.comment is not None:
        comment = sql.SQL("COMMENT ON INDEX {} IS {}").format(sql.Identifier("public", index.name), index.comment)
        connection.execute(comment)


@contextmanager
def built_afterwards(
    connection: Connection, catalog: Catalog, progress: Callable[[int, int], None] | None = None
) -> Iterator[None]:
    """Drop the tables' indexes for the duration of the block. Use it inside a transaction, which restores them after an
    error.  `progress` is called with the number of indexes built and the total.
    """
    indexes: Sequence[Index] = _find(connection, catalog)
    for index in indexes:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier("public", index.name)))
    yield
    connection.execute("SELECT set_config('maintenance_work_mem', %s, true)", (BUILD_MEMORY,))
    for number, index in enumerate(indexes, 1):
        _build(connection, index)
        if progress:
            progress(number, len(indexes))
