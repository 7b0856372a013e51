"""What the repairs of foreign tables have in common.

A repair only looks unless it is told to do; it keeps every row that it changes or removes in ArchivedRow, in the same
transaction; and it works in short transactions, so that it can be stopped and started again at any time.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from waops.operations.locks import persist
from waops.operations.timeouts import UNLIMITED, milliseconds, server_settings

BATCH = 200
"""Groups per transaction."""
EXAMPLES = 5
LOCK_TIMEOUT = 2.0
"""Seconds a batch waits for rows that somebody else is changing, before it lets go and tries again."""

ARCHIVE = f"{settings.APP_SCHEMA}.waops_archivedrow"


@dataclass(frozen=True)
class Group:
    """Rows that share a key of which only one may exist: `kept` and `others` are their ids."""

    key: tuple[str, ...]
    kept: str
    others: list[str]


@dataclass(frozen=True)
class Report:
    """What a repair found, and how many rows it archived and changed; None if it only looked."""

    repair: str
    table: str
    groups: int
    rows: int
    changed: int | None
    examples: list[Group]


class Repair(ABC):
    """One kind of damage in one foreign table. Stateless."""

    name: str
    """Name of the command."""
    table: str
    key: tuple[str, ...]
    """Columns whose values a group shares."""

    @abstractmethod
    def find(self, connection: BaseDatabaseWrapper) -> list[Group]:
        """Every group with more than one row, in a stable order."""

    @abstractmethod
    def apply(self, connection: BaseDatabaseWrapper, groups: Sequence[Group]) -> int:
        """Repair these groups as they are now, inside the caller's transaction. Answers the number of rows changed."""

    def run(
        self,
        connection: BaseDatabaseWrapper,
        *,
        apply: bool,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Report:
        """Look, and with `apply` repair too. `progress` hears how many groups of how many are done.

        Raises waops.operations.errors.LockNotHad.
        """
        with transaction.atomic(using=connection.alias), _unhurried(connection):
            groups = self.find(connection)
        changed = None
        if apply:
            changed = 0
            for start in range(0, len(groups), BATCH):
                batch = groups[start : start + BATCH]
                changed += self._apply_batch(connection, batch)
                progress(start + len(batch), len(groups))
        rows = sum(len(group.others) for group in groups)
        return Report(self.name, self.table, len(groups), rows, changed, groups[:EXAMPLES])

    def _apply_batch(self, connection: BaseDatabaseWrapper, groups: Sequence[Group]) -> int:
        changed = 0

        def attempt() -> None:
            nonlocal changed
            with transaction.atomic(using=connection.alias), _unhurried(connection):
                changed = self.apply(connection, groups)

        persist(
            connection,
            attempt,
            doing=self.name,
            lock_timeout=LOCK_TIMEOUT,
            attempts=settings.MIGRATION_ATTEMPTS,
            pause=LOCK_TIMEOUT,
        )
        return changed


def _unhurried(connection: BaseDatabaseWrapper) -> AbstractContextManager[None]:
    return server_settings(connection, local=True, lock_timeout=milliseconds(LOCK_TIMEOUT), statement_timeout=UNLIMITED)
