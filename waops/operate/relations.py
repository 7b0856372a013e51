"""Tables and indexes as the catalog and the statistics have them: sizes, use, upkeep.

One query each, whatever their number. Sizes are read from files, for which the server takes its weakest lock; of a
relation that somebody holds exclusively, or waits to, the size as of the last vacuum is taken instead, so that no page
waits behind a migration.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.backends.base.base import BaseDatabaseWrapper

from waops.operate.reading import fetch, server_version

LOCKED = """
    WITH locked AS MATERIALIZED (
        SELECT DISTINCT relation FROM pg_catalog.pg_locks
        WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock'
    )
"""
BLOCK = "pg_catalog.current_setting('block_size')::bigint"
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
    WHERE relation.relkind IN ('r', 'm') AND {USER_SCHEMAS}
    ORDER BY relation.relpages DESC, 1, 2
"""  # noqa: S608

# `shape` is everything that makes two indexes of a table do the same work; `keys` are its key columns in order.
INDEXES = f"""
    {LOCKED}
    SELECT namespace.nspname::text, heap.relname::text, relation.relname::text,
           CASE WHEN locked.relation IS NULL
               THEN pg_catalog.pg_relation_size(relation.oid)
               ELSE relation.relpages * {BLOCK}
           END,
           relation.relpages, GREATEST(relation.reltuples, 0)::bigint,
           pg_catalog.pg_stat_get_numscans(relation.oid), {{last_scan}},
           index.indisunique, index.indisvalid, owner.conname::text, method.amname::text,
           (SELECT pg_catalog.array_agg(
                pg_catalog.concat_ws(' ', key.number, class.value, option.value, collation_.value) ORDER BY key.place
            )
            FROM pg_catalog.unnest(index.indkey::int2[]) WITH ORDINALITY AS key (number, place)
            LEFT JOIN pg_catalog.unnest(index.indclass::oid[]) WITH ORDINALITY AS class (value, place) USING (place)
            LEFT JOIN pg_catalog.unnest(index.indoption::int2[]) WITH ORDINALITY AS option (value, place) USING (place)
            LEFT JOIN pg_catalog.unnest(index.indcollation::oid[]) WITH ORDINALITY
                AS collation_ (value, place) USING (place)
            WHERE key.place <= index.indnkeyatts),
           pg_catalog.concat_ws('|', index.indexprs::text, index.indpred::text, index.indkey::text),
           index.indexprs IS NOT NULL, index.indpred::text,
           CASE WHEN locked_heap.relation IS NULL THEN pg_catalog.pg_get_indexdef(relation.oid) END
    FROM pg_catalog.pg_index AS index
    JOIN pg_catalog.pg_class AS relation ON relation.oid = index.indexrelid
    JOIN pg_catalog.pg_class AS heap ON heap.oid = index.indrelid
    JOIN pg_catalog.pg_am AS method ON method.oid = relation.relam
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = heap.relnamespace
    LEFT JOIN locked ON locked.relation = relation.oid
    LEFT JOIN locked AS locked_heap ON locked_heap.relation = heap.oid
    LEFT JOIN pg_catalog.pg_constraint AS owner
        ON owner.conindid = relation.oid AND owner.contype IN ('p', 'u', 'x') AND owner.conrelid = heap.oid
    WHERE relation.relkind = 'i' AND {USER_SCHEMAS}
    ORDER BY relation.relpages DESC, 1, 3
"""  # noqa: S608


@dataclass(frozen=True)
class TableFacts:
    """`rows` and `pages` as of the last vacuum or analyze; `size` in bytes, without indexes; the rest counted since the
    statistics were reset."""

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
    """`size` in bytes. `keys` are equal where two indexes' key columns are (with operator class, order, collation)."""

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
    keys: list[str]
    shape: str
    has_expressions: bool
    predicate: str | None
    definition: str | None

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def qualified_table(self) -> str:
        return f"{self.schema}.{self.table}"


def read_tables(connection: BaseDatabaseWrapper) -> list[TableFacts]:
    """Largest first."""
    return fetch(connection, TableFacts, TABLES)


def read_indexes(connection: BaseDatabaseWrapper) -> list[IndexFacts]:
    """Largest first."""
    known = server_version(connection) >= 160_000
    last_scan = "pg_catalog.pg_stat_get_lastscan(relation.oid)" if known else "NULL::timestamptz"
    return fetch(connection, IndexFacts, INDEXES.format(last_scan=last_scan))
