"""Find sessions that would hold up an index build or a migration."""

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from waops.database.fetch import fetch, fetch_value
from waops.dbops.doctor.section import Section
from waops.dbops.figures import Kind, shown
from waops.dbops.findings import Finding, Severity
from waops.schema.catalog import Holder

LONG_SECONDS = 60.0

LONG = """
    SELECT pid, usename, application_name, state, xact_start, pg_catalog.left(query, 80)
    FROM pg_catalog.pg_stat_activity
    WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid()
      AND backend_type IS DISTINCT FROM 'autovacuum worker'
      AND xact_start < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => %s)
    ORDER BY xact_start
"""
PREPARED = """
    SELECT gid, prepared::text FROM pg_catalog.pg_prepared_xacts WHERE database = pg_catalog.current_database()
"""
IDLE_SLOTS = """
    SELECT slot_name::text, pg_catalog.quote_literal(slot_name),
           CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL
               ELSE pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn)::bigint
           END
    FROM pg_catalog.pg_replication_slots WHERE NOT active AND NOT temporary ORDER BY 1
"""
HIDDEN = """
    SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity
    WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid()
      AND query = '<insufficient privilege>'
"""


def examine(connection: BaseDatabaseWrapper) -> Section:
    section = Section()
    why = _("An index build waits for every older transaction to end.")
    for holder in fetch(connection, Holder, LONG, [LONG_SECONDS]):
        section.findings.append(
            Finding(
                "session.long_transaction",
                Severity.WARNING,
                f"pid {holder.pid}",
                _("a transaction has been open for a long time: %(holder)s") % {"holder": holder},
                why,
                (f"SELECT pg_catalog.pg_terminate_backend({holder.pid});",),
            )
        )
    for gid, prepared in fetch(connection, lambda *row: row, PREPARED):
        section.findings.append(
            Finding(
                "session.prepared_transaction",
                Severity.WARNING,
                gid,
                _("a prepared transaction has been neither committed nor rolled back since %(since)s")
                % {"since": prepared},
                why,
                (f"ROLLBACK PREPARED '{gid}';",),
            )
        )
    for name, quoted, kept in fetch(connection, lambda *row: row, IDLE_SLOTS):
        section.findings.append(
            Finding(
                "session.idle_slot",
                Severity.WARNING,
                name,
                _("an unused replication slot keeps %(size)s of write-ahead log") % {"size": shown(kept, Kind.BYTES)},
                _("The log it keeps fills the disk. It may belong to a replica that is temporarily offline."),
                (f"SELECT pg_catalog.pg_drop_replication_slot({quoted});",),
            )
        )
    if hidden := fetch_value(connection, HIDDEN):
        section.findings.append(_hidden(connection, hidden))
    return section


def _hidden(connection: BaseDatabaseWrapper, count: int) -> Finding:
    role = fetch_value(connection, "SELECT pg_catalog.quote_ident(current_user)")
    return Finding(
        "session.hidden",
        Severity.NOTE,
        role,
        _("sessions of other roles are hidden: %(count)s") % {"count": count},
        _("Their long transactions and statements are not visible here."),
        (f"GRANT pg_read_all_stats TO {role};",),
    )
