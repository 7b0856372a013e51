"""Look up indexes and sessions in the server's catalog."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.functional import lazy
from django.utils.translation import gettext as _

from waops.database.fetch import fetch_one

STATEMENT = re.compile(
    r"\s*CREATE\s+(?P<unique>UNIQUE\s+)?INDEX\s+(?P<name>\w+)\s+ON\s+(?P<schema>\w+)\.(?P<table>\w+)\s+(?P<body>\S.*)",
    re.IGNORECASE | re.DOTALL,
)

FIND_INDEXES = """
    SELECT wanted.identity,
           pg_catalog.quote_ident(heap_namespace.nspname) || '.' || pg_catalog.quote_ident(heap.relname),
           CASE WHEN index.indexrelid IS NULL
               THEN pg_catalog.pg_describe_object('pg_catalog.pg_class'::pg_catalog.regclass, relation.oid, 0)
               ELSE pg_catalog.pg_get_indexdef(relation.oid)
           END,
           index.indisvalid
    FROM pg_catalog.unnest(%s::text[]) AS wanted (identity)
    JOIN pg_catalog.pg_class AS relation ON relation.oid = pg_catalog.to_regclass(wanted.identity)
    LEFT JOIN pg_catalog.pg_index AS index ON index.indexrelid = relation.oid
    LEFT JOIN pg_catalog.pg_class AS heap ON heap.oid = index.indrelid
    LEFT JOIN pg_catalog.pg_namespace AS heap_namespace ON heap_namespace.oid = heap.relnamespace
"""

DESCRIBE_INDEX = """
    SELECT pg_catalog.pg_get_indexdef(indexrelid),
           ARRAY(
               SELECT pg_catalog.pg_get_indexdef(indexrelid, number, true)
               FROM pg_catalog.generate_series(1, indnkeyatts) AS number
           ),
           pg_catalog.pg_get_expr(indpred, indrelid)
    FROM pg_catalog.pg_index WHERE indexrelid = pg_catalog.to_regclass(%s)
"""

FIND_HOLDERS = """
    SELECT holder.pid, activity.usename, activity.application_name, activity.state,
           COALESCE(activity.xact_start, activity.backend_start), pg_catalog.left(activity.query, 80)
    FROM ({pids}) AS holder (pid)
    LEFT JOIN pg_catalog.pg_stat_activity AS activity ON activity.pid = holder.pid
    ORDER BY 5
"""
BLOCKING = FIND_HOLDERS.format(pids="SELECT DISTINCT pg_catalog.unnest(pg_catalog.pg_blocking_pids(%s))")
# A session that builds or drops an index holds this lock on the table from start to end. Autovacuum holds it too, but
# gives way. (The progress view would say more, but shows other roles' sessions only to privileged roles.)
MAINTAINING = FIND_HOLDERS.format(
    pids="""
        SELECT lock.pid FROM pg_catalog.pg_locks AS lock
        LEFT JOIN pg_catalog.pg_stat_activity AS worker ON worker.pid = lock.pid
        WHERE lock.locktype = 'relation' AND lock.relation = pg_catalog.to_regclass(%s)
          AND lock.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
          AND lock.mode = 'ShareUpdateExclusiveLock' AND lock.granted
          AND lock.pid <> pg_catalog.pg_backend_pid()
          AND worker.backend_type IS DISTINCT FROM 'autovacuum worker'
    """
)

HOLDING_ADVISORY_LOCK = FIND_HOLDERS.format(
    pids="""
        SELECT pid FROM pg_catalog.pg_locks
        WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND objsubid = 1 AND granted
          AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
    """
)


@dataclass(frozen=True)
class IndexStatement:
    """`CREATE [UNIQUE] INDEX name ON schema.table …`, parsed. Names are plain lower-case identifiers."""

    name: str
    schema: str
    table: str
    unique: bool
    body: str

    @classmethod
    def parse(cls, sql: str) -> Self:
        """Parse a CREATE INDEX statement. Raises ValueError for anything else, including CONCURRENTLY and IF NOT
        EXISTS, which the operation adds.
        """
        match = STATEMENT.fullmatch(sql)
        if match is None:
            raise ValueError(f"Not of the form CREATE [UNIQUE] INDEX name ON schema.table …: {sql}")
        body = match["body"].rstrip().rstrip(";")
        return cls(match["name"], match["schema"], match["table"], bool(match["unique"]), body)

    @property
    def identity(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def qualified_table(self) -> str:
        return f"{self.schema}.{self.table}"

    def sql(self, *, schema: str | None = None, concurrently: bool = False) -> str:
        """The statement, optionally for the table of that name in another schema."""
        words = "CREATE UNIQUE INDEX" if self.unique else "CREATE INDEX"
        if concurrently:
            words += " CONCURRENTLY"
        return f"{words} {self.name} ON {schema or self.schema}.{self.table} {self.body}"


@dataclass(frozen=True)
class FoundRelation:
    """The relation that has the index's name. Without a `table` it is not an index."""

    table: str | None
    definition: str
    valid: bool


@dataclass(frozen=True)
class WantedIndex:
    """The index as this server's version would print it."""

    definition: str
    keys: list[str]
    predicate: str | None

    def is_defined_as(self, found: FoundRelation) -> bool:
        return _without_place(found.definition) == _without_place(self.definition)


def _without_place(definition: str) -> tuple[bool, str]:
    """Uniqueness, and the definition from the access method on, without index and table name."""
    return definition.startswith("CREATE UNIQUE "), definition.partition(" USING ")[2]


def find_relation(connection: BaseDatabaseWrapper, identity: str) -> FoundRelation | None:
    return find_relations(connection, [identity]).get(identity)


def find_relations(connection: BaseDatabaseWrapper, identities: Sequence[str]) -> dict[str, FoundRelation]:
    """The relations that exist, by identity."""
    with connection.cursor() as cursor:
        cursor.execute(FIND_INDEXES, [list(identities)])
        return {
            identity: FoundRelation(table, definition, bool(valid))
            for identity, table, definition, valid in cursor.fetchall()
        }


def table_exists(connection: BaseDatabaseWrapper, identity: str) -> bool:
    (exists,) = fetch_one(connection, "SELECT pg_catalog.to_regclass(%s) IS NOT NULL", identity)
    return bool(exists)


def describe(connection: BaseDatabaseWrapper, statement: IndexStatement) -> WantedIndex:
    """Build the index on an empty temporary copy of its table, read its definition, and roll back.

    Only the server knows how it prints a definition; texts written by people or other versions differ. Raises
    DatabaseError if the table cannot have that index.
    """
    with transaction.atomic(using=connection.alias):
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMPORARY TABLE {statement.table} (LIKE {statement.qualified_table})")
            cursor.execute(statement.sql(schema="pg_temp"))
        row = fetch_one(connection, DESCRIBE_INDEX, f"pg_temp.{statement.name}")
        transaction.set_rollback(True, using=connection.alias)
    assert row is not None
    return WantedIndex(*row)


@dataclass(frozen=True)
class Holder:
    """A session that blocks another. Without pg_read_all_stats, little more than the pid of other roles'
    sessions is visible.
    """

    pid: int
    user: str | None
    application: str | None
    state: str | None
    since: datetime | None
    query: str | None

    def __str__(self) -> str:
        if self.pid == 0:
            return _("a prepared transaction (see pg_prepared_xacts)")
        return _("pid %(pid)s (%(application)s, user %(user)s, %(state)s, since %(since)s: “%(query)s”)") % {
            "pid": self.pid,
            "application": self.application or "?",
            "user": self.user or "?",
            "state": self.state or "?",
            "since": f"{self.since:%Y-%m-%d %H:%M:%S %z}" if self.since else "?",
            "query": " ".join((self.query or "").split()),
        }


def _join_holders(holders: list[Holder]) -> str:
    return "; ".join(map(str, holders)) or _("a session that has already ended")


holders_text = lazy(_join_holders, str)
"""In the language of the person who finally reads it."""


def maintaining(connection: BaseDatabaseWrapper, table: str) -> list[Holder]:
    """Sessions that may be building an index on that table."""
    with connection.cursor() as cursor:
        cursor.execute(MAINTAINING, [table])
        return [Holder(*row) for row in cursor.fetchall()]
