"""Database engine `waops.database.engine`: Django's PostgreSQL engine, plus what must happen before any
query, and loaders for every value a column can hold (`loaders`).

Before `migrate` it creates the app's schema, because Django would otherwise create its tables in `public`.
"""

from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from psycopg_pool import PoolTimeout

from waops.database.engine import pooling
from waops.database.engine.loaders import adapters
from waops.database.engine.saved import Saved
from waops.database.engine.schema import prepare_schema

PROBE_SECONDS = 2


class DatabaseWrapper(base.DatabaseWrapper):
    programs: Path | None = None
    """Folder of the server's own client programs, if known."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.saved = Saved()
        self.execute_wrappers.append(self.saved.execute)

    def _commit(self) -> None:
        with self.saved.committing():
            super()._commit()  # type: ignore[misc]

    def _rollback(self) -> None:
        self.saved.rolled_back()
        super()._rollback()  # type: ignore[misc]

    def _close(self) -> None:
        self.saved.rolled_back()
        super()._close()  # type: ignore[misc]

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        params["context"] = adapters(self.timezone)
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
            # A pool hides the reason. If the server refuses, this raises its error; if not, the pool is too small.
            psycopg.connect(**{**conn_params, "connect_timeout": PROBE_SECONDS}).close()
            raise

    @property
    def pool(self) -> Any:
        return super().pool if pooling.started() else None

    def prepare_database(self) -> None:
        super().prepare_database()
        prepare_schema(self)
