"""Run the parts of `manage.py periodic` from one line of cron, each as often as it needs.

Parts are independent: a failing one is named and the others continue. PeriodicRun records when each ran.
"""

import logging
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from django.db import DatabaseError, connection
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from waops.dbops import retention, snapshots
from waops.dbops.adoption import take_reading
from waops.dbops.figures import Column, Figures, Kind
from waops.dbops.models import PeriodicRun
from waops.serving.terminal import plain

logger = logging.getLogger(__name__)

LOCK = 0x77616F70737065  # "waopspe"
"""Key of the advisory lock."""
RETRY = timedelta(minutes=5)
"""A failed part runs again after this time, or when it is due anyway."""
JITTER = timedelta(seconds=30)
"""Cron is not exact: a part may run this much early, or it would miss every second run."""
GRACE = timedelta(minutes=10)
"""A part is late after twice its interval plus this."""


@dataclass(frozen=True)
class Done:
    """What a part did, in one sentence, with figures if it has any."""

    text: str
    figures: Sequence[Figures] = ()


@dataclass(frozen=True)
class Part:
    """Work that runs at least once in `every`. `look`, if given, says what `run` would do."""

    name: str
    label: Promise
    every: timedelta
    run: Callable[[], Done]
    look: Callable[[], Done] | None = None

    def is_due(self, last: PeriodicRun | None, now: datetime) -> bool:
        if last is None or last.started_at > now:
            return True
        interval = min(self.every, RETRY) if last.is_failure else self.every
        return now - last.started_at >= interval - JITTER

    def is_late(self, last: PeriodicRun | None, now: datetime) -> bool:
        succeeded = last.succeeded_at if last else None
        return succeeded is None or now - succeeded > 2 * self.every + GRACE


@dataclass(frozen=True)
class Outcome:
    """What a part did, or its problem; neither if it was not due."""

    part: Part
    done: Done | None = None
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        figures = {one.key: one.to_json()["rows"] for one in self.done.figures} if self.done else {}
        text = self.done.text if self.done else ""
        return {"name": self.part.name, "ran": bool(text or self.problem), "text": text, "problem": self.problem} | (
            {"figures": figures} if figures else {}
        )


class BusyError(Exception):
    """Another `periodic` is running."""


@dataclass(frozen=True)
class PartState:
    """One row of the table that says when each part last ran."""

    name: str
    what: Promise
    every: str
    started_at: datetime | None
    succeeded_at: datetime | None
    problem: str


COLUMNS = (
    Column("name", gettext_lazy("part"), Kind.NAME),
    Column("what", gettext_lazy("what it does")),
    Column("every", gettext_lazy("at least every")),
    Column("started_at", gettext_lazy("last run"), Kind.TIME),
    Column("succeeded_at", gettext_lazy("last success"), Kind.TIME),
    Column("problem", gettext_lazy("problem")),
)


def parts() -> list[Part]:
    """All parts, the most frequent first, so that quick work does not wait for slow work."""
    return sorted(PARTS, key=lambda part: part.every)


def last_runs(using: str = "default") -> dict[str, PeriodicRun]:
    return PeriodicRun.objects.using(using).in_bulk()


def periodic_figures(using: str = "default") -> Figures:
    """When each part last ran."""
    runs = last_runs(using)
    rows = [_state(part, runs.get(part.name)) for part in parts()]
    return Figures("periodic", gettext_lazy("Periodic work"), COLUMNS, rows)


def _state(part: Part, last: PeriodicRun | None) -> PartState:
    started, succeeded = (last.started_at, last.succeeded_at) if last else (None, None)
    return PartState(part.name, part.label, _in_words(part.every), started, succeeded, last.problem if last else "")


def _in_words(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 60:
        return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}
    return ngettext("%(count)s hour", "%(count)s hours", minutes // 60) % {"count": minutes // 60}


def run_parts(only: Iterable[str] = ()) -> Iterator[Outcome]:
    """Run the parts that are due, or those named in `only` even if not due.

    Raises BusyError if another instance is running.
    """
    wanted = set(only)
    with _alone():
        take_reading()
        runs, now = last_runs(), timezone.now()
        for part in parts():
            if part.name in wanted or (not wanted and part.is_due(runs.get(part.name), now)):
                yield _run(part)
            elif not wanted:
                yield Outcome(part)


def look_at_parts(only: Iterable[str] = ()) -> Iterator[Outcome]:
    """What the parts would do, for those that can say it. Changes nothing."""
    wanted = set(only)
    for part in parts():
        if part.look and (not wanted or part.name in wanted):
            try:
                yield Outcome(part, part.look())
            except Exception as error:
                yield Outcome(part, problem=_problem(part, error))


def _run(part: Part) -> Outcome:
    started = timezone.now()
    outcome = Outcome(part)
    try:
        _note(part, started_at=started)
        outcome = Outcome(part, part.run())
        _note(part, ended_at=timezone.now(), succeeded_at=started, problem="")
    except Exception as error:
        outcome = Outcome(part, problem=_problem(part, error))
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        with suppress(DatabaseError):
            _note(part, ended_at=timezone.now(), problem=outcome.problem)
    return outcome


def _note(part: Part, **values: Any) -> None:
    PeriodicRun.objects.update_or_create(
        name=part.name, defaults=values, create_defaults={"started_at": timezone.now(), **values}
    )


def _problem(part: Part, error: Exception) -> str:
    logger.error("Periodic work %s failed", part.name, exc_info=error)
    return plain(error).strip() or type(error).__name__


@contextmanager
def _alone() -> Iterator[None]:
    """Hold a lock on a separate session. It is transaction-level, so that it works through transaction poolers too."""
    name = f"waops periodic on {socket.gethostname()[:32]}, {os.getpid()}"
    parameters = {**connection.get_connection_params(), "application_name": name}
    with connection.wrap_database_errors:
        session = psycopg.connect(**parameters)
        session.isolation_level = psycopg.IsolationLevel.READ_COMMITTED  # holds no snapshot while it idles
        session.execute(
            "SELECT pg_catalog.set_config(name, '0', true) FROM pg_catalog.pg_settings"
            " WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')"
        )
        is_alone = session.execute("SELECT pg_catalog.pg_try_advisory_xact_lock(%s)", [LOCK]).fetchone() == (True,)
    try:
        if not is_alone:
            raise BusyError(_("Another manage.py periodic is running."))
        yield
    finally:
        with suppress(psycopg.Error):
            # Releases the lock now; a busy server notices a closed session later.
            session.rollback()
        session.close()


@dataclass(frozen=True)
class Kept:
    """One row of the retention table."""

    label: Promise
    name: str
    days: int
    old: int
    removed: int


KEPT_COLUMNS = (
    Column("label", gettext_lazy("What")),
    Column("name", gettext_lazy("Name in RETENTION_DAYS"), Kind.NAME),
    Column("days", gettext_lazy("Days kept"), Kind.COUNT),
    Column("old", gettext_lazy("Older"), Kind.COUNT),
    Column("removed", gettext_lazy("Removed"), Kind.COUNT),
)


def _retention(*, apply: bool) -> Done:
    labels = {kept.name: kept.label for kept in retention.KEPT}
    rows = [Kept(labels[one.name], one.name, one.days, one.old, one.removed) for one in retention.retain(apply=apply)]
    removed = sum(row.removed for row in rows)
    text = (
        ngettext("%(count)s row removed.", "%(count)s rows removed.", removed) % {"count": removed}
        if apply
        else _("Nothing was changed.")
    )
    return Done(text, [Figures("retention", gettext_lazy("Retention"), KEPT_COLUMNS, rows)])


def _snapshot() -> Done:
    snapshot = snapshots.take_snapshot()
    snapshots.prune()
    return Done(_("Snapshot %(number)s taken.") % {"number": snapshot.pk})


PARTS: list[Part] = [
    Part("snapshots", gettext_lazy("Records the database's figures"), timedelta(hours=1), _snapshot),
    Part(
        "retention",
        gettext_lazy("Deletes the app's own rows past their retention period"),
        timedelta(days=1),
        lambda: _retention(apply=True),
        lambda: _retention(apply=False),
    ),
]
"""Apps add theirs in `AppConfig.ready`."""
