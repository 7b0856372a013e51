"""Detect a pooler between us and the server."""

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

PROCESS = "SELECT pg_catalog.pg_backend_pid()"
SAMPLES = 5


def detect_pooler(connection: BaseDatabaseWrapper) -> str:
    """Find out what is between us and the server: `direct`, `session` or `transaction`.

    Opens a second connection if there is a pooler. On connecting, the server tells the driver its process number; a
    pooler makes one up. A transaction pooler assigns processes per transaction: the number changes between two
    statements, or a second connection gets the same one. Inside a transaction neither is visible, and the result is
    `session`.
    """
    pids = {_server_process(connection) for _number in range(SAMPLES)}
    if pids == {connection.connection.info.backend_pid}:
        return "direct"
    if len(pids) == 1 and not connection.in_atomic_block:
        with psycopg.connect(**connection.get_connection_params(), autocommit=True) as second:
            pids.difference_update(*second.execute(PROCESS))
    return "session" if len(pids) == 1 else "transaction"


def _server_process(connection: BaseDatabaseWrapper) -> int:
    with connection.cursor() as cursor:
        cursor.execute(PROCESS)
        return int(cursor.fetchone()[0])
