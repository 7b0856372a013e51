"""Snapshots of the database's figures, so that the days before and after a step can be compared."""

import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F
from django.utils import timezone

from waops.database.fetch import fetch, fetch_value
from waops.dbops.models import Snapshot
from waops.dbops.reading import bounded, server_version
from waops.dbops.relations import read_indexes, read_tables
from waops.dbops.statements import read_statements
from waops.dbops.tables import service_tables

KEEP_DAYS = 90
STATEMENTS, RELATIONS = 200, 200
"""Kept of each kind: the most expensive, the largest, and all of the service's."""
QUERY_LENGTH = 500
PROBES = 20

DATABASE = """
    SELECT xact_commit, xact_rollback, blks_hit, blks_read, tup_inserted, tup_updated, tup_deleted, temp_bytes,
           deadlocks, EXTRACT(epoch FROM stats_reset)::float8,
           (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend'),
           pg_catalog.pg_database_size(pg_catalog.current_database())
    FROM pg_catalog.pg_stat_database WHERE datname = pg_catalog.current_database()
"""
# Bytes of write-ahead log written, for the whole server. A replica writes none.
WAL = """
    SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL
        ELSE pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0')::bigint
    END
"""
CHECKPOINTS = {
    "before 17": "SELECT checkpoints_timed + checkpoints_req, checkpoint_write_time FROM pg_catalog.pg_stat_bgwriter",
    "from 17": "SELECT num_timed + num_requested, write_time FROM pg_catalog.pg_stat_checkpointer",
}
# Times are counted only with track_io_timing.
WRITES = """
    SELECT pg_catalog.sum(writes)::bigint, pg_catalog.sum(write_time)::float8 FROM pg_catalog.pg_stat_io
    WHERE object = 'relation'
"""


@dataclass(frozen=True)
class DatabaseFigures:
    """Counters since `reset_at` (seconds since 1970; None: never), except `connections` and `size` (bytes),
    which are current.

    WAL, checkpoints and writes are for the whole server. `writes` and `write_ms` are known from Postgres 16 on.
    """

    commits: int
    rollbacks: int
    blocks_hit: int
    blocks_read: int
    inserted: int
    updated: int
    deleted: int
    temp_bytes: int
    deadlocks: int
    reset_at: float | None
    connections: int
    size: int
    wal_bytes: int | None
    checkpoints: int
    checkpoint_ms: float
    writes: int | None
    write_ms: float | None


def take_snapshot(note: str = "", using: str = "default") -> Snapshot:
    """Collect and store the figures, and time a commit too."""
    snapshot = keep_figures(note, using)
    time_commits(snapshot, using)
    return snapshot


def keep_figures(note: str = "", using: str = "default") -> Snapshot:
    connection = connections[using]
    with bounded(connection):
        figures = collect(connection)
        version = server_version(connection)
    snapshot: Snapshot = Snapshot.objects.using(using).create(note=note, figures=figures, server_version=version)
    return snapshot


def time_commits(snapshot: Snapshot, using: str = "default") -> None:
    """The new row is rewritten several times, unless a transaction is open."""
    snapshot.commit_ms = _time_commits(connections[using], snapshot)
    snapshot.save(using=using, update_fields=["commit_ms"])


def collect(connection: BaseDatabaseWrapper) -> dict[str, Any]:
    """The figures by section; each row has a name that stays the same between snapshots."""
    return {
        "database": asdict(_database(connection)),
        "statements": dict(_statements(connection)),
        "tables": dict(_tables(connection)),
        "indexes": dict(_indexes(connection)),
    }


def prune(days: int = KEEP_DAYS, using: str = "default") -> int:
    """Delete older snapshots without a note: named ones are kept. Returns how many."""
    old = Snapshot.objects.using(using).filter(taken_at__lt=timezone.now() - timedelta(days=days), note="")
    return old.delete()[0]


def _database(connection: BaseDatabaseWrapper) -> DatabaseFigures:
    version = server_version(connection)
    (counters,) = fetch(connection, lambda *row: row, DATABASE)
    ((checkpoints, checkpoint_ms),) = fetch(
        connection, lambda *row: row, CHECKPOINTS["from 17" if version >= 170_000 else "before 17"]
    )
    writes: tuple[Any, Any] = (None, None)
    if version >= 160_000:
        (writes,) = fetch(connection, lambda *row: row, WRITES)
    values = [*counters, _wal(connection), checkpoints, checkpoint_ms, *writes]
    return DatabaseFigures(*values)


def _wal(connection: BaseDatabaseWrapper) -> int | None:
    """Also None if the role may not ask."""
    try:
        with transaction.atomic(using=connection.alias):
            value: int | None = fetch_value(connection, WAL)
            return value
    except DatabaseError:
        return None


def _statements(connection: BaseDatabaseWrapper) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in read_statements(connection, limit=STATEMENTS).rows:
        yield (
            f"{row.role}/{row.queryid}",
            {
                "query": row.query[:QUERY_LENGTH],
                "calls": row.calls,
                "total_ms": row.total_ms,
                "rows": row.rows,
                "wal": row.wal,
            },
        )


def _tables(connection: BaseDatabaseWrapper) -> Iterator[tuple[str, dict[str, Any]]]:
    ours = set(service_tables())
    for place, fact in enumerate(read_tables(connection)):
        if place < RELATIONS or fact.qualified in ours:
            values = asdict(fact)
            for name in ("schema", "name", "last_vacuum", "last_analyze"):
                del values[name]
            yield fact.qualified, values


def _indexes(connection: BaseDatabaseWrapper) -> Iterator[tuple[str, dict[str, Any]]]:
    ours = set(service_tables())
    for place, fact in enumerate(read_indexes(connection)):
        if place < RELATIONS or fact.qualified_table in ours:
            yield fact.qualified, {"table": fact.qualified_table, "size": fact.size, "scans": fact.scans}


def _time_commits(connection: BaseDatabaseWrapper, snapshot: Snapshot) -> float | None:
    """Median milliseconds, round trip included; None inside a transaction, where nothing is committed."""
    if connection.in_atomic_block:
        return None
    row = Snapshot.objects.using(connection.alias).filter(pk=snapshot.pk)
    times = []
    for _number in range(PROBES):
        begin = time.perf_counter()
        row.update(probe=F("probe") + 1)
        times.append(1000 * (time.perf_counter() - begin))
    return statistics.median(times)
