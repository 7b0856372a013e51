"""Observe the server during a run: by its counters, the operating system's, and by sampling."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep

import psycopg

TICKS = os.sysconf("SC_CLK_TCK")
SAMPLE_SECONDS = 0.01
STATISTICS_SECONDS = 1.0
"""Before version 15, counters arrive late."""
PATIENCE = 30.0

COMMITS = "SELECT xact_commit FROM pg_catalog.pg_stat_database WHERE datname = %s"
WAL = "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0')::bigint"
SESSIONS = """
    SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity
    WHERE datname = %s AND backend_type = 'client backend'
"""
BUSY = """
    SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity
    WHERE datname = %s AND backend_type = 'client backend' AND state <> 'idle'
"""


@dataclass
class Observation:
    """`cpu_seconds`: of all the server's processes; None unless they run on this machine. `busy`: connections that
    were executing, on average."""

    seconds: float = 0.0
    wal_bytes: int = 0
    cpu_seconds: float | None = None
    busy: float = 0.0


class Observer:
    """Watches one database through connections to another, so that it does not observe itself."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection = psycopg.connect(dsn, autocommit=True)
        self._postmaster = local_postmaster(self._connection)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def watching(self, database: str) -> Iterator[Observation]:
        """The observation is complete when the block ends."""
        observation = Observation()
        stop = threading.Event()
        samples: list[int] = []
        sampler = threading.Thread(target=self._sample, args=(database, samples, stop))
        self._wait_for_end(database)
        wal, cpu, begin = self._value(WAL), self._cpu(), perf_counter()
        sampler.start()
        try:
            yield observation
        finally:
            observation.seconds = perf_counter() - begin
            stop.set()
            sampler.join()
        self._wait_for_end(database)
        observation.wal_bytes = self._value(WAL) - wal
        now = self._cpu()
        observation.cpu_seconds = None if cpu is None or now is None else now - cpu
        observation.busy = sum(samples) / len(samples) if samples else 0.0

    def commits(self, database: str) -> int:
        """Committed transactions; waits for ending sessions, which report their counts when they end."""
        self._wait_for_end(database)
        if self._connection.info.server_version < 150_000:
            sleep(STATISTICS_SECONDS)
        return self._value(COMMITS, database)

    def _wait_for_end(self, database: str) -> None:
        """A session ends a little after its client."""
        deadline = perf_counter() + PATIENCE
        while self._value(SESSIONS, database) and perf_counter() < deadline:
            sleep(SAMPLE_SECONDS)

    def _value(self, query: str, *parameters: str) -> int:
        row = self._connection.execute(query, parameters).fetchone()
        assert row is not None
        return int(row[0])

    def _cpu(self) -> float | None:
        return None if self._postmaster is None else cpu_seconds(self._postmaster)

    def _sample(self, database: str, samples: list[int], stop: threading.Event) -> None:
        with psycopg.connect(self._dsn, autocommit=True, prepare_threshold=0) as connection:
            while not stop.wait(SAMPLE_SECONDS):
                row = connection.execute(BUSY, [database]).fetchone()
                assert row is not None
                samples.append(row[0])


def local_postmaster(connection: psycopg.Connection) -> int | None:
    """Process id of the server's first process, if it runs on this machine."""
    backend = Path(f"/proc/{connection.info.backend_pid}")
    try:
        if (backend / "comm").read_text().strip() != "postgres":
            return None
        return int(_fields(backend)[1])
    except OSError:
        return None


def cpu_seconds(postmaster: int) -> float:
    """User and system time of the server's processes, including ended ones."""
    while True:
        ended = _ticks(Path(f"/proc/{postmaster}"), 13)
        ticks = ended + _ticks(Path(f"/proc/{postmaster}"), 11)
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if int(_fields(process)[1]) == postmaster:
                    ticks += _ticks(process, 11)
            except OSError:
                continue
        # A process that ended while we looked is in neither sum or in both: look again.
        if ended == _ticks(Path(f"/proc/{postmaster}"), 13):
            return ticks / TICKS


def _ticks(process: Path, field: int) -> int:
    """User and system time, of itself (11) or of its ended children (13)."""
    user, system = _fields(process)[field : field + 2]
    return int(user) + int(system)


def _fields(process: Path) -> list[str]:
    """Of /proc/PID/stat, from the third on: state, parent, …; the second is a name that may contain anything."""
    return (process / "stat").read_text().rpartition(") ")[2].split()
