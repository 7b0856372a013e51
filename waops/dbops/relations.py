"""Read tables and indexes from the catalog and statistics: sizes, use, maintenance.

One query each, whatever their number. Sizes are read from files under the server's weakest lock. For a relation that a
session holds exclusively, or waits to, the size as of the last vacuum is used, so that no page waits behind a
migration.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.backends.base.base import BaseDatabaseWrapper

from waops.database.fetch import fetch
from waops.dbops.reading import server_version

LOCKED = """
    WITH locked AS MATERIALIZED (
        SELECT DISTINCT relation FROM pg_catalog.pg_locks
        WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock'
    )
"""
BLOCK = "pg_catalog.current_setting('block_size')::bigint"
INDEX_SIZE = f"""
    CASE WHEN locked.relation IS NULL
        THEN pg_catalog.pg_relation_size(relation.oid)
        ELSE relation.relpages * {BLOCK}
    END
"""
USER_SCHEMAS = (
    "namespace.nspname NOT IN ('pg_catalog', 'information_schema') AND namespace.nspname !~ '^pg_(toast|temp)'"
)

TABLES = f"""
    {LOCKED}
    SELECT namespace.nspname::text, relation.relname::text, GREATEST(relation.reltuples, 0)::bigint,
           relation.relpages,
           CASE WHEN locked.relation IS NULL AND toast.relation IS NULL
               THEN pg_catalog.pg_table_size(relation.oid)
               ELSE relation.relpages * {BLOCK}
           END,
           COALESCE(stat.n_dead_tup, 0), GREATEST(stat.last_vacuum, stat.last_autovacuum),
           GREATEST(stat.last_analyze, stat.last_autoanalyze), COALESCE(stat.seq_scan, 0), COALESCE(stat.idx_scan, 0),
           COALESCE(stat.n_tup_ins, 0), COALESCE(stat.n_tup_upd, 0), COALESCE(stat.n_tup_del, 0),
           COALESCE(stat.n_tup_hot_upd, 0), io.hit, io.read
    FROM pg_catalog.pg_class AS relation
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
    LEFT JOIN locked ON locked.relation = relation.oid
    LEFT JOIN locked AS toast ON toast.relation = relation.reltoastrelid
    LEFT JOIN pg_catalog.pg_stat_user_tables AS stat ON stat.relid = relation.oid
    CROSS JOIN LATERAL (
        SELECT pg_catalog.pg_stat_get_blocks_hit(relation.oid) AS hit,
               pg_catalog.pg_stat_get_blocks_fetched(relation.oid)
                   - pg_catalog.pg_stat_get_blocks_hit(relation.oid) AS read
    ) AS io
    WHERE relation.relkind IN ('r', 'm') AND {USER_SCHEMAS} AND {{chosen}}
    ORDER BY relation.relpages DESC, 1, 2
"""  # noqa: S608

# The catalog's vectors are parsed here, because with thousands of indexes that is most of the work.
INDEXES = f"""
    {LOCKED}
    SELECT namespace.nspname::text, heap.relname::text, relation.relname::text,
           {INDEX_SIZE}, relation.relpages, GREATEST(relation.reltuples, 0)::bigint,
           pg_catalog.pg_stat_get_numscans(relation.oid), {{last_scan}},
           index.indisunique, index.indisvalid, owner.conname::text, method.amname::text, index.indnkeyatts,
           index.indkey::text, index.indclass::text, index.indoption::text, index.indcollation::text,
           index.indexprs::text, index.indpred::text
    FROM pg_catalog.pg_index AS index
    JOIN pg_catalog.pg_class AS relation ON relation.oid = index.indexrelid
    JOIN pg_catalog.pg_class AS heap ON heap.oid = index.indrelid
    JOIN pg_catalog.pg_am AS method ON method.oid = relation.relam
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = heap.relnamespace
    LEFT JOIN locked ON locked.relation = relation.oid
    LEFT JOIN pg_catalog.pg_constraint AS owner
        ON owner.conindid = relation.oid AND owner.contype IN ('p', 'u', 'x') AND owner.conrelid = heap.oid
    WHERE relation.relkind = 'i' AND {USER_SCHEMAS} AND {{chosen}}
    ORDER BY relation.relpages DESC, 1, 3
"""  # noqa: S608
INDEX_SIZES = f"""
    {LOCKED}
    SELECT namespace.nspname || '.' || heap.relname, pg_catalog.sum({INDEX_SIZE})::bigint
    FROM pg_catalog.pg_index AS index
    JOIN pg_catalog.pg_class AS relation ON relation.oid = index.indexrelid
    JOIN pg_catalog.pg_class AS heap ON heap.oid = index.indrelid
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = heap.relnamespace
    LEFT JOIN locked ON locked.relation = relation.oid
    WHERE relation.relkind = 'i' AND {USER_SCHEMAS} AND {{chosen}}
    GROUP BY 1
"""  # noqa: S608
# To print a definition the server locks the table, so locked tables are left out.
DEFINITIONS = f"""
    {LOCKED}
    SELECT namespace.nspname || '.' || relation.relname, pg_catalog.pg_get_indexdef(relation.oid)
    FROM pg_catalog.pg_index AS index
    JOIN pg_catalog.pg_class AS relation ON relation.oid = index.indexrelid
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
    WHERE namespace.nspname || '.' || relation.relname = ANY (%s)
      AND NOT EXISTS (SELECT FROM locked WHERE locked.relation IN (index.indrelid, index.indexrelid))
"""  # noqa: S608
# No names are passed if all are wanted, so that none has to be built.
EVERY, CHOSEN_TABLE, CHOSEN_INDEX = (
    "true",
    "namespace.nspname || '.' || relation.relname = ANY (%s)",
    "namespace.nspname || '.' || heap.relname = ANY (%s)",
)


@dataclass(frozen=True)
class TableFacts:
    """`rows` and `pages` as of the last vacuum or analyze; `size` in bytes, without indexes; the rest
    counted since the statistics were reset.
    """

    schema: str
    name: str
    rows: int
    pages: int
    size: int
    dead_rows: int
    last_vacuum: datetime | None
    last_analyze: datetime | None
    sequential_scans: int
    index_scans: int
    inserted: int
    updated: int
    deleted: int
    updated_in_place: int
    blocks_hit: int
    blocks_read: int

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class IndexFacts:
    """`size` in bytes. The last six are in the catalog's own notation (pg_index), separated by spaces."""

    schema: str
    table: str
    name: str
    size: int
    pages: int
    rows: int
    scans: int
    last_scan: datetime | None
    is_unique: bool
    is_valid: bool
    constraint: str | None
    method: str
    key_count: int
    columns: str
    classes: str
    options: str
    collations: str
    expressions: str | None
    predicate: str | None

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def qualified_table(self) -> str:
        return f"{self.schema}.{self.table}"

    @property
    def key_columns(self) -> list[int]:
        """Numbers of the key columns; 0 stands for an expression."""
        return [int(column) for column in self.columns.split()[: self.key_count]]

    @cached_property
    def keys(self) -> list[tuple[str, ...]]:
        """The key columns as a value that is equal for two indexes with equal columns, operator classes, order and
        collation.
        """
        parts = (self.columns, self.classes, self.options, self.collations)
        return list(zip(*(part.split()[: self.key_count] for part in parts), strict=True))

    @property
    def shape(self) -> tuple[object, ...]:
        """A value that is equal for two indexes of a table that do the same work, apart from uniqueness."""
        return self.method, self.keys, self.columns, self.expressions, self.predicate


def read_tables(connection: BaseDatabaseWrapper, names: Sequence[str] | None = None) -> list[TableFacts]:
    """Facts about tables, largest first. `names` are qualified; all tables if None."""
    query = TABLES.format(chosen=EVERY if names is None else CHOSEN_TABLE)
    return fetch(connection, TableFacts, query, None if names is None else [list(names)])


def read_indexes(connection: BaseDatabaseWrapper, tables: Sequence[str] | None = None) -> list[IndexFacts]:
    """Facts about indexes, largest first. `tables`: qualified names of those whose indexes are wanted; all if None."""
    known = server_version(connection) >= 160_000
    query = INDEXES.format(
        last_scan="pg_catalog.pg_stat_get_lastscan(relation.oid)" if known else "NULL::timestamptz",
        chosen=EVERY if tables is None else CHOSEN_INDEX,
    )
    return fetch(connection, IndexFacts, query, None if tables is None else [list(tables)])


def read_index_sizes(connection: BaseDatabaseWrapper, tables: Sequence[str] | None = None) -> dict[str, int]:
    """Size in bytes of all indexes of a table, by qualified table."""
    query = INDEX_SIZES.format(chosen=EVERY if tables is None else CHOSEN_INDEX)
    return dict(fetch(connection, lambda *row: row, query, None if tables is None else [list(tables)]))


def read_definitions(connection: BaseDatabaseWrapper, names: Sequence[str]) -> dict[str, str]:
    """Index definitions by qualified index, without tables that a session has locked exclusively."""
    return dict(fetch(connection, lambda *row: row, DEFINITIONS, [list(names)]))
