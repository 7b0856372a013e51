"""Slow queries, from pg_stat_statements of any version and in any schema."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from waops.database.errors import sqlstate
from waops.database.fetch import fetch, fetch_value
from waops.database.live_schema import own_apps
from waops.dbops.extensions import create_extension
from waops.dbops.figures import Column, Figures, Kind
from waops.dbops.plan import plan

Order = Literal["total", "mean", "calls"]
ORDERS: tuple[Order, ...] = ("total", "mean", "calls")
LIMIT = 100
TEXT_LENGTH = 2_000

# By the extension's columns, not the server's version: after a server upgrade the extension may be older.
VIEW = """
    SELECT namespace.nspname::text, ARRAY(
        SELECT attname::text FROM pg_catalog.pg_attribute
        WHERE attrelid = view.oid AND attnum > 0 AND NOT attisdropped
    )
    FROM pg_catalog.pg_extension AS extension
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = extension.extnamespace
    JOIN pg_catalog.pg_class AS view ON view.relnamespace = namespace.oid AND view.relname = 'pg_stat_statements'
    WHERE extension.extname = 'pg_stat_statements'
"""
AVAILABLE = "SELECT EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'pg_stat_statements')"

STATEMENTS = """
    SELECT statement.queryid, pg_catalog.pg_get_userbyid(statement.userid), pg_catalog.left(statement.query, %s),
           statement.calls, statement.{total}, statement.{mean},
           statement.{total} / NULLIF(pg_catalog.sum(statement.{total}) OVER (), 0), statement.rows,
           statement.shared_blks_hit::float8
               / NULLIF(statement.shared_blks_hit + statement.shared_blks_read, 0),
           {wal}
    FROM {schema}.pg_stat_statements AS statement
    WHERE statement.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
      AND (%s OR statement.query ~* %s)
    ORDER BY {order} DESC NULLS LAST LIMIT %s
"""
INFO = "SELECT stats_reset FROM {schema}.pg_stat_statements_info"
INFO_EXISTS = "SELECT pg_catalog.to_regclass(pg_catalog.format('%%I.pg_stat_statements_info', %s::text)) IS NOT NULL"

LOADED = "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'shared_preload_libraries'"

INSUFFICIENT = "<insufficient privilege>"
NOT_LOADED = "55000"


@dataclass(frozen=True)
class Statement:
    """One normalised statement of one role. Times in milliseconds; `share` of all time spent and `hits` of
    blocks found in memory, both between 0 and 1; `wal` in bytes.
    """

    queryid: int
    role: str
    query: str
    calls: int
    total_ms: float
    mean_ms: float
    share: float | None
    rows: int
    hits: float | None
    wal: int | None


@dataclass(frozen=True)
class Statements:
    """`since`: when counting began, if the server knows. Otherwise why there is nothing, and the line that helps."""

    rows: list[Statement]
    since: datetime | None = None
    unavailable: str = ""
    remedy: str = ""


COLUMNS = (
    Column("query", gettext_lazy("statement"), Kind.SQL),
    Column("role", gettext_lazy("role"), Kind.NAME),
    Column("calls", gettext_lazy("calls"), Kind.COUNT),
    Column("mean_ms", gettext_lazy("mean, ms"), Kind.MILLISECONDS),
    Column("total_ms", gettext_lazy("total, ms"), Kind.MILLISECONDS),
    Column("share", gettext_lazy("share of time"), Kind.PERCENT),
    Column("rows", gettext_lazy("rows"), Kind.COUNT),
    Column("hits", gettext_lazy("from memory"), Kind.PERCENT),
)


def read_statements(
    connection: BaseDatabaseWrapper, *, ours_only: bool = False, order: Order = "total", limit: int = LIMIT
) -> Statements:
    """The most expensive statements of this database. `ours_only`: those that use a table of the service or
    of this app, or call one of its functions.
    """
    view = fetch(connection, lambda *row: row, VIEW)
    if not view:
        return _not_installed(connection)
    schema, columns = view[0]
    quoted = connection.ops.quote_name(schema)
    total, mean = ("total_exec_time", "mean_exec_time") if "total_exec_time" in columns else ("total_time", "mean_time")
    query = STATEMENTS.format(
        schema=quoted,
        total=total,
        mean=mean,
        wal="statement.wal_bytes::bigint" if "wal_bytes" in columns else "NULL::bigint",
        order={"total": f"statement.{total}", "mean": f"statement.{mean}", "calls": "statement.calls"}[order],
    )
    try:
        with transaction.atomic(using=connection.alias):
            rows = fetch(connection, Statement, query, [TEXT_LENGTH, not ours_only, _our_names(), limit])
            since = _since(connection, schema, quoted)
    except DatabaseError as error:
        return _unreadable(connection, schema, error)
    return Statements(rows, since)


def statement_figures(statements: Statements, connection: BaseDatabaseWrapper) -> Figures:
    note = ""
    if any(row.query == INSUFFICIENT for row in statements.rows):
        role = fetch_value(connection, "SELECT pg_catalog.quote_ident(current_user)")
        note = _("This role cannot see statements of other roles. To see them: %(fix)s") % {
            "fix": f"GRANT pg_read_all_stats TO {role};"
        }
    return Figures(
        "statements",
        gettext_lazy("Slow queries"),
        COLUMNS,
        statements.rows,
        note,
        statements.unavailable,
        statements.remedy,
    )


def _our_names() -> str:
    """A regular expression that finds the names of our tables and functions as words, also when quoted."""
    names = [model._meta.db_table for app in own_apps() for model in app.get_models()]
    names += [function.name.partition(".")[2] for function in plan().functions]
    return rf"\m({'|'.join(sorted(set(names)))})\M"


def _since(connection: BaseDatabaseWrapper, schema: str, quoted: str) -> Any:
    if fetch_value(connection, INFO_EXISTS, [schema]):
        return fetch_value(connection, INFO.format(schema=quoted))
    return None


def _not_installed(connection: BaseDatabaseWrapper) -> Statements:
    if fetch_value(connection, AVAILABLE):
        why = _("The extension pg_stat_statements is not installed in this database.")
        return Statements([], None, why, create_extension(connection, "pg_stat_statements"))
    why = _("This server has no pg_stat_statements (it comes with Postgres's contrib package).")
    return Statements([], None, why, "apt-get install postgresql-contrib")


def _unreadable(connection: BaseDatabaseWrapper, schema: str, error: DatabaseError) -> Statements:
    if sqlstate(error) == NOT_LOADED:
        why = _("pg_stat_statements is installed, but the server does not load it. Restart the server after:")
        # Libraries that are already loaded must be listed again; only some roles can see them.
        loaded = (fetch_value(connection, LOADED) or "").split(",")
        libraries = [*(name.strip() for name in loaded if name.strip()), "pg_stat_statements"]
        names = ", ".join(f"'{name}'" for name in libraries)
        return Statements([], None, why, f"ALTER SYSTEM SET shared_preload_libraries = {names};")
    why = _("pg_stat_statements cannot be read: %(error)s") % {"error": str(error).strip()}
    # By name: the role that can grant it runs the line in another session.
    role = fetch_value(connection, "SELECT pg_catalog.quote_ident(current_user)")
    place = connection.ops.quote_name(schema)
    grants = (
        f"GRANT USAGE ON SCHEMA {place} TO {role};",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {place} TO {role};",
        f"GRANT pg_read_all_stats TO {role};",
    )
    return Statements([], None, why, " ".join(grants))
