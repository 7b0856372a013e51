"""Database engine `waops.backend`: Django's PostgreSQL engine, with two things that must happen before any query.

Without DATABASE_URL the embedded server is started at the first connection, so that every command works with no
set-up; and `migrate` gets its schema made, because Django would otherwise put its tables into `public`.
"""

from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from psycopg_pool import PoolTimeout

from waops.backend import pooling
from waops.backend.schema import prepare_schema
from waops.embedded import project_server

PROBE_SECONDS = 2


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        if settings.EMBEDDED_POSTGRES and not params.get("host"):
            server = project_server(settings.BASE_DIR)
            server.start()
            params["host"] = str(server.socket_dir)
        if pooling.started() and "options" in params:
            params["options"] += (
                f" -c statement_timeout={settings.DATABASE_STATEMENT_TIMEOUT * 1000:.0f}"
                f" -c lock_timeout={settings.DATABASE_LOCK_TIMEOUT * 1000:.0f}"
            )
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        try:
            return super().get_new_connection(conn_params)
        except PoolTimeout:
            # A pool does not tell why. If the server refuses, this raises its own words; if not, the pool is too small.
            psycopg.connect(**{**conn_params, "connect_timeout": PROBE_SECONDS}).close()
            raise

    @property
    def pool(self) -> Any:
        return super().pool if pooling.started() else None

    def prepare_database(self) -> None:
        super().prepare_database()
        prepare_schema(self)
