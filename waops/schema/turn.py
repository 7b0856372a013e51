"""Run one `migrate` at a time."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext_lazy as _

from waops.schema.catalog import HOLDING_ADVISORY_LOCK, Holder, holders_text
from waops.schema.report import tell

LOCK = 0x77616F7073  # "waops"
"""Key of the advisory lock."""
POLL = 0.5
"""Seconds. A blocking wait would hold a snapshot that the other migrate's CREATE INDEX CONCURRENTLY waits for."""
REPEAT = 15.0
"""Seconds between log lines about the wait."""


@contextmanager
def migration_turn(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Hold this database's migration lock in a separate session that ends with the block."""
    name = f"waops migrate on {socket.gethostname()[:32]}, {os.getpid()}"
    parameters = {**connection.get_connection_params(), "application_name": name}
    with connection.wrap_database_errors:
        session = psycopg.connect(**parameters, autocommit=True)
    with session:
        # It idles while the migrations run.
        session.execute(
            "SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings"
            " WHERE name = 'idle_session_timeout'"
        )
        _wait(session)
        yield


def _wait(session: psycopg.Connection) -> None:
    next_line = time.monotonic()
    while not _try_lock(session):
        if time.monotonic() >= next_line:
            holders = [Holder(*row) for row in session.execute(HOLDING_ADVISORY_LOCK, [LOCK >> 32, LOCK & 0xFFFFFFFF])]
            tell(_("Another migrate is running: %(holders)s. Waiting for it to end."), holders=holders_text(holders))
            next_line += REPEAT
        time.sleep(POLL)


def _try_lock(session: psycopg.Connection) -> bool:
    return session.execute("SELECT pg_catalog.pg_try_advisory_lock(%s)", [LOCK]).fetchone() == (True,)
