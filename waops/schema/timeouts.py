"""Change server settings for the duration of one operation."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper

UNLIMITED = "0"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f}ms"


@contextmanager
def server_settings(connection: BaseDatabaseWrapper, *, local: bool, **wanted: str) -> Iterator[None]:
    """Change server settings for the duration of the block, and restore the previous values, also after an error.

    `local`: until the end of the current transaction, where a rollback restores them; otherwise for the session.
    Settings unknown to this version of the server are left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, pg_catalog.current_setting(name, true) FROM pg_catalog.unnest(%s::text[]) AS name",
            [list(wanted)],
        )
        found = {name: value for name, value in cursor.fetchall() if value is not None}
    _set(connection, {name: wanted[name] for name in found}, local)
    try:
        yield
    except BaseException:
        if not local and _is_open(connection):
            _set(connection, found, local)
        raise
    _set(connection, found, local)


def _set(connection: BaseDatabaseWrapper, values: dict[str, str], local: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_catalog.set_config(key, value, %s) FROM pg_catalog.jsonb_each_text(%s::jsonb)",
            [local, json.dumps(values)],
        )


def _is_open(connection: BaseDatabaseWrapper) -> bool:
    """Whether the session still exists, so that settings can be restored."""
    return connection.connection is not None and not connection.connection.closed
