"""Database engine `waops.backend`: Django's PostgreSQL engine, with two things that must happen before any query.

Without DATABASE_URL the embedded server is started at the first connection, so that every command works with no
set-up; and `migrate` gets its schema made, because Django would otherwise put its tables into `public`.
"""

from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base

from waops.backend import pooling
from waops.backend.schema import prepare_schema
from waops.embedded import project_server


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        if settings.EMBEDDED_POSTGRES and not params.get("host"):
            server = project_server(settings.BASE_DIR)
            server.start()
            params["host"] = str(server.socket_dir)
        return params

    @property
    def pool(self) -> Any:
        return super().pool if pooling.started() else None

    def prepare_database(self) -> None:
        super().prepare_database()
        prepare_schema(self)
