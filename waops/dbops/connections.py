"""Who is connected, in which state, and which sessions block others."""

from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from waops.database.fetch import fetch
from waops.dbops.figures import Column, Figures, Kind
from waops.dbops.findings import Finding, Severity

NEARLY_FULL = 0.8

BY_STATE = """
    SELECT usename::text, application_name, state, pg_catalog.count(*)
    FROM pg_catalog.pg_stat_activity
    WHERE backend_type = 'client backend'
    GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT 100
"""
LIMITS = """
    SELECT pg_catalog.current_setting('max_connections')::int,
           pg_catalog.current_setting('superuser_reserved_connections')::int,
           (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend')
"""
RUNNING = """
    SELECT pid, usename::text, application_name, state,
           EXTRACT(epoch FROM pg_catalog.clock_timestamp() - xact_start)::float8 * 1000, pg_catalog.left(query, 500)
    FROM pg_catalog.pg_stat_activity
    WHERE datname = pg_catalog.current_database() AND xact_start IS NOT NULL
      AND pid <> pg_catalog.pg_backend_pid() AND backend_type = 'client backend'
    ORDER BY xact_start LIMIT 20
"""
# Only sessions that wait for a lock are checked for blockers: the check itself locks the lock table.
BLOCKED = """
    SELECT waiting.pid, waiting.usename::text, waiting.application_name,
           EXTRACT(epoch FROM pg_catalog.clock_timestamp() - COALESCE(waiting.state_change, waiting.query_start))
               ::float8 * 1000,
           pg_catalog.left(waiting.query, 500), blocker.pid, blocker.application_name,
           blocker.state, pg_catalog.left(blocker.query, 500)
    FROM pg_catalog.pg_stat_activity AS waiting
    CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.pg_blocking_pids(waiting.pid)) AS holder (pid)
    LEFT JOIN pg_catalog.pg_stat_activity AS blocker ON blocker.pid = holder.pid
    WHERE waiting.wait_event_type = 'Lock'
    ORDER BY 4 DESC LIMIT 100
"""


@dataclass(frozen=True)
class ConnectionGroup:
    role: str | None
    application: str | None
    state: str | None
    count: int


@dataclass(frozen=True)
class Blocked:
    """A waiting session (`waited_ms`) and one that blocks it."""

    pid: int
    role: str | None
    application: str | None
    waited_ms: float
    query: str | None
    blocker_pid: int | None
    blocker_application: str | None
    blocker_state: str | None
    blocker_query: str | None


@dataclass(frozen=True)
class Running:
    """A session in a transaction, and its latest statement."""

    pid: int
    role: str | None
    application: str | None
    state: str | None
    open_ms: float
    query: str | None


@dataclass(frozen=True)
class Room:
    """Connections: how many are possible, how many of those are reserved for superusers, how many exist."""

    limit: int
    reserved: int
    used: int

    @property
    def share(self) -> float:
        return self.used / max(1, self.limit - self.reserved)


GROUP_COLUMNS = (
    Column("role", gettext_lazy("role"), Kind.NAME),
    Column("application", gettext_lazy("application"), Kind.NAME),
    Column("state", gettext_lazy("state"), Kind.NAME),
    Column("count", gettext_lazy("connections"), Kind.COUNT),
)
ROOM_COLUMNS = (
    Column("limit", gettext_lazy("limit"), Kind.COUNT),
    Column("reserved", gettext_lazy("reserved for superusers"), Kind.COUNT),
    Column("used", gettext_lazy("in use"), Kind.COUNT),
    Column("share", gettext_lazy("share in use"), Kind.PERCENT),
)
RUNNING_COLUMNS = (
    Column("pid", gettext_lazy("session"), Kind.NAME),
    Column("role", gettext_lazy("role"), Kind.NAME),
    Column("application", gettext_lazy("application"), Kind.NAME),
    Column("state", gettext_lazy("state"), Kind.NAME),
    Column("open_ms", gettext_lazy("since, ms"), Kind.MILLISECONDS),
    Column("query", gettext_lazy("statement"), Kind.SQL),
)
BLOCKED_COLUMNS = (
    Column("pid", gettext_lazy("waiting session"), Kind.NAME),
    Column("application", gettext_lazy("application"), Kind.NAME),
    Column("waited_ms", gettext_lazy("since, ms"), Kind.MILLISECONDS),
    Column("query", gettext_lazy("its statement"), Kind.SQL),
    Column("blocker_pid", gettext_lazy("blocked by"), Kind.NAME),
    Column("blocker_application", gettext_lazy("application"), Kind.NAME),
    Column("blocker_state", gettext_lazy("state"), Kind.NAME),
    Column("blocker_query", gettext_lazy("running"), Kind.SQL),
)


@dataclass(frozen=True)
class ConnectionReport:
    findings: list[Finding]
    figures: list[Figures]
    blockers: list[int]
    """Process numbers of sessions that block others and are not blocked themselves."""


def report_connections(connection: BaseDatabaseWrapper) -> ConnectionReport:
    (room,) = fetch(connection, Room, LIMITS)
    blocked = fetch(connection, Blocked, BLOCKED)
    waiting = {row.pid for row in blocked}
    blockers = sorted({row.blocker_pid for row in blocked if row.blocker_pid} - waiting)
    return ConnectionReport(
        [*_judge_room(room), *(_blocker(pid, blocked) for pid in blockers)],
        [
            Figures("room", gettext_lazy("Connections in use"), ROOM_COLUMNS, [room]),
            Figures("groups", gettext_lazy("Connections"), GROUP_COLUMNS, fetch(connection, ConnectionGroup, BY_STATE)),
            Figures(
                "blocked",
                gettext_lazy("Sessions waiting for a lock"),
                BLOCKED_COLUMNS,
                blocked,
                empty=gettext_lazy("No session is waiting for a lock."),
            ),
            Figures(
                "running",
                gettext_lazy("Transactions, the longest first"),
                RUNNING_COLUMNS,
                fetch(connection, Running, RUNNING),
                empty=gettext_lazy("None except this one."),
            ),
        ],
        blockers,
    )


def _judge_room(room: Room) -> list[Finding]:
    if room.share < NEARLY_FULL:
        return []
    what = _("%(used)s of %(limit)s connections are in use") % {"used": room.used, "limit": room.limit - room.reserved}
    why = _(
        "When none is left, requests of the service are refused. A pooler shares few connections among many clients."
    )
    return [Finding("connections.nearly_full", Severity.WARNING, "max_connections", what, why)]


def _blocker(pid: int, blocked: list[Blocked]) -> Finding:
    behind = [row for row in blocked if row.blocker_pid == pid]
    what = _("blocks %(count)s sessions, the longest for %(seconds)s s") % {
        "count": len(behind),
        "seconds": round(max(row.waited_ms for row in behind) / 1000),
    }
    why = _("It holds a lock they need: “%(query)s”") % {"query": (behind[0].blocker_query or "?")[:80]}
    fix = (f"SELECT pg_catalog.pg_terminate_backend({pid});",)
    return Finding("connections.blocker", Severity.WARNING, f"pid {pid}", what, why, fix)
