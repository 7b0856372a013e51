"""Retry until a lock is acquired, and say who holds it in the meantime."""

import time
from collections.abc import Callable

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from waops.database.errors import sqlstate
from waops.schema.catalog import holders_text
from waops.schema.errors import IndexBeingBuilt, LockNotHad
from waops.schema.report import tell
from waops.schema.watcher import Watcher

RETRYABLE = {"55P03", "40P01"}
"""lock_not_available and deadlock_detected."""


def persist(
    connection: BaseDatabaseWrapper,
    attempt: Callable[[], None],
    *,
    doing: str | Promise,
    lock_timeout: float,
    attempts: int,
    pause: float,
) -> None:
    """Call `attempt`, which must be repeatable, until it gets its locks.

    `lock_timeout` (seconds) is the one set on the server; `pause` is the seconds between attempts. Raises LockNotHad,
    IndexBeingBuilt after the last attempt.
    """
    # One watcher for all attempts: connecting it can take longer than the first attempt.
    with Watcher(connection, doing, interval=min(1.0, lock_timeout / 4 or 1.0)) as watcher:
        for number in range(1, attempts + 1):
            try:
                attempt()
                return
            except IndexBeingBuilt as busy:
                if number == attempts:
                    raise
                tell("%(error)s", error=busy)
                time.sleep(lock_timeout)
            except DatabaseError as error:
                if sqlstate(error) not in RETRYABLE:
                    raise
                holders = holders_text(watcher.holders)
                if number == attempts:
                    raise LockNotHad(doing=doing, attempts=attempts, holders=holders) from error
                tell(
                    _(
                        "%(doing)s: attempt %(number)s of %(attempts)s did not get its lock, held by %(holders)s; "
                        "trying again."
                    ),
                    doing=doing,
                    number=number,
                    attempts=attempts,
                    holders=holders,
                )
            time.sleep(pause)
