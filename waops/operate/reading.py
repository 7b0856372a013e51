"""Reads that can hold up nobody."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from waops.operations.timeouts import milliseconds, server_settings

STATEMENT_SECONDS = 5.0
LOCK_SECONDS = 0.25
"""Whoever waits for a lock makes those behind it wait too."""

Row = TypeVar("Row")


@contextmanager
def bounded(connection: BaseDatabaseWrapper, seconds: float = STATEMENT_SECONDS) -> Iterator[None]:
    """Within one transaction, no statement runs longer than that, and none waits for a lock noticeably."""
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


def fetch(
    connection: BaseDatabaseWrapper, row: Callable[..., Row], query: str, parameters: Sequence[Any] | None = None
) -> list[Row]:
    """The query's rows, each passed to `row` by position."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return [row(*values) for values in cursor.fetchall()]


def fetch_value(connection: BaseDatabaseWrapper, query: str, parameters: Sequence[Any] | None = None) -> Any:
    """The first column of the first row; None if there is no row."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        row = cursor.fetchone()
    return row and row[0]


def server_version(connection: BaseDatabaseWrapper) -> int:
    """As `server_version_num`: 150018 is 15.18."""
    connection.ensure_connection()
    return int(connection.connection.info.server_version)
