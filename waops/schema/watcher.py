"""A second connection that sees what a blocked one is waiting for."""

import time
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from waops.database.fetch import fetch_one
from waops.schema.catalog import BLOCKING, Holder, holders_text
from waops.schema.report import tell

QUIET = 3.0
"""Seconds before the first line; anything faster is not worth one."""
REPEAT = 10.0
"""Seconds between lines."""

PROGRESS = """
    SELECT phase, COALESCE(100 * blocks_done / NULLIF(blocks_total, 0), 100 * tuples_done / NULLIF(tuples_total, 0))
    FROM pg_catalog.pg_stat_progress_create_index WHERE pid = %s
"""


class Watcher:
    """Report who blocks the connection and its progress while the block runs. `holders` are the last blockers seen."""

    def __init__(self, connection: BaseDatabaseWrapper, doing: str | Promise, *, interval: float = 1.0) -> None:
        """`interval`: seconds between checks; must be below the lock timeout, or the timeout strikes before
        any check.
        """
        self.holders: list[Holder] = []
        self._doing = doing
        self._interval = interval
        self._parameters: dict[str, Any] = {**connection.get_connection_params(), "application_name": "waops watcher"}
        # Ask the server, not the driver: behind a pooler the driver only knows the pooler's number.
        (self._pid,) = fetch_one(connection, "SELECT pg_catalog.pg_backend_pid()")
        self._over = Event()
        self._thread = Thread(target=self._watch, name="waops-watcher", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        next_line = time.monotonic() + QUIET
        if self._over.wait(self._interval):
            return
        try:
            with psycopg.connect(**self._parameters, autocommit=True) as connection:
                while True:
                    holders = [Holder(*row) for row in connection.execute(BLOCKING, [self._pid])]
                    self.holders = holders or self.holders
                    if time.monotonic() >= next_line:
                        self._tell(holders, connection.execute(PROGRESS, [self._pid]).fetchone())
                        next_line += REPEAT
                    if self._over.wait(self._interval):
                        return
        except psycopg.Error as error:
            tell(_("%(doing)s continues, but its progress cannot be shown: %(error)s"), doing=self._doing, error=error)

    def _tell(self, holders: list[Holder], progress: Any) -> None:
        if holders:
            tell(_("%(doing)s is waiting for %(holders)s."), doing=self._doing, holders=holders_text(holders))
        elif progress:
            phase, percent = progress
            share = "" if percent is None else f", {percent} %"
            tell(_("%(doing)s: %(phase)s%(share)s."), doing=self._doing, phase=phase, share=share)
        else:
            tell(_("%(doing)s is still running."), doing=self._doing)
