"""What the repairs of the service's tables have in common.

A repair only looks unless told to apply. It archives every row that it changes or removes in ArchivedRow, in the same
transaction, and it works in short transactions, so that it can be stopped and started again at any time.
"""

from abc import ABC, abstractmethod
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Self

from django.conf import settings
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from waops.schema.locks import persist
from waops.schema.timeouts import UNLIMITED, milliseconds, server_settings

BATCH = 200
"""Groups per transaction."""
EXAMPLES = 5
LOCK_TIMEOUT = 2.0
"""Seconds a batch waits for rows that another session is changing before it gives up and tries again."""


@dataclass(frozen=True)
class Group:
    """Rows that share a key of which only one may exist: `kept` and `others` are their ids."""

    key: tuple[str, ...]
    kept: str
    others: list[str]


@dataclass(frozen=True)
class LeftAlone(Group):
    """Rows that share a key but differ, so a person must decide which to keep. `texts`: their beginnings, in order."""

    texts: list[str]


@dataclass(frozen=True)
class Report:
    """What a repair found, and how many rows it archived and changed; None if it only looked.

    `left_alone`: the first groups that it does not touch; there are `left_alone_groups` of them.
    """

    repair: str
    table: str
    groups: int
    rows: int
    changed: int | None
    examples: list[Group]
    left_alone: list[LeftAlone] = field(default_factory=list)
    left_alone_groups: int = 0


class Repair(ABC):
    """One kind of damage in one table of the service. Stateless."""

    name: str
    """The word after `manage.py repair`; stored with archived rows."""
    help: str
    table: str
    key: tuple[str, ...]
    """Columns whose values a group shares."""
    outcome: Promise
    """Heading for what happens to the rows that are not kept."""

    @classmethod  # noqa: B027 most repairs have none
    def add_arguments(cls, parser: ArgumentParser) -> None:
        """Add the options that `from_options` reads."""

    @classmethod
    def from_options(cls, **options: Any) -> Self:
        return cls()

    @abstractmethod
    def find(self, connection: BaseDatabaseWrapper) -> list[Group]:
        """Every group with more than one row, in a stable order."""

    def find_left_alone(self, connection: BaseDatabaseWrapper) -> list[LeftAlone]:
        """Every group that this repair does not touch."""
        return []

    @abstractmethod
    def apply(self, connection: BaseDatabaseWrapper, groups: Sequence[Group]) -> int:
        """Repair these groups in their current state, inside the caller's transaction. Returns the number of
        rows changed.
        """

    def summary(self, report: Report) -> str:
        """The report in words, if anything was found."""
        found = ngettext(
            "%(table)s: %(rows)s duplicate row (keys affected: %(groups)s).",
            "%(table)s: %(rows)s duplicate rows (keys affected: %(groups)s).",
            report.rows,
        ) % {"table": report.table, "rows": report.rows, "groups": report.groups}
        return f"{found} {self.done(report)}"

    def done(self, report: Report) -> str:
        """What was changed, in words."""
        if report.changed is None:
            return _("Nothing was changed; add --apply to repair.")
        return self.changed(report.changed)

    def changed(self, count: int) -> str:
        return ngettext(
            "%(rows)s row was repaired; the original is in the archive (archived rows).",
            "%(rows)s rows were repaired; the originals are in the archive (archived rows).",
            count,
        ) % {"rows": count}

    def advice(self, report: Report) -> str:
        """What to do about the groups that the repair does not touch."""
        return ""

    def run(
        self,
        connection: BaseDatabaseWrapper,
        *,
        apply: bool,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Report:
        """Look, and with `apply` also repair. `progress` is called with the number of finished groups and
        the total.

        Raises waops.schema.errors.LockNotHad.
        """
        with transaction.atomic(using=connection.alias), _unhurried(connection):
            groups = self.find(connection)
            left_alone = self.find_left_alone(connection)
        changed = None
        if apply:
            changed = 0
            for start in range(0, len(groups), BATCH):
                batch = groups[start : start + BATCH]
                changed += self._apply_batch(connection, batch)
                progress(start + len(batch), len(groups))
        rows = sum(len(group.others) for group in groups)
        return Report(
            self.name, self.table, len(groups), rows, changed, groups[:EXAMPLES], left_alone[:EXAMPLES], len(left_alone)
        )

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
