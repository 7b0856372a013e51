"""Reads that block no one."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from waops.database.fetch import fetch_value
from waops.schema.timeouts import milliseconds, server_settings

STATEMENT_SECONDS = 5.0
LOCK_SECONDS = 0.25
"""A session that waits for a lock makes those behind it wait too."""

EXIST = """
    SELECT pg_catalog.bool_and(pg_catalog.to_regclass(name) IS NOT NULL) FROM pg_catalog.unnest(%s::text[]) AS name
"""


@contextmanager
def bounded(connection: BaseDatabaseWrapper, seconds: float = STATEMENT_SECONDS) -> Iterator[None]:
    """Within one transaction, limit how long a statement may run, and wait only briefly for locks."""
    with (
        transaction.atomic(using=connection.alias),
        server_settings(
            connection,
            local=True,
            statement_timeout=milliseconds(seconds),
            lock_timeout=milliseconds(LOCK_SECONDS),
        ),
    ):
        yield


def exist(connection: BaseDatabaseWrapper, *tables: str) -> bool:
    """Whether all of these schema-qualified tables exist."""
    return bool(fetch_value(connection, EXIST, [list(tables)]))


def server_version(connection: BaseDatabaseWrapper) -> int:
    """The version as `server_version_num`: 150018 is 15.18."""
    connection.ensure_connection()
    return int(connection.connection.info.server_version)
