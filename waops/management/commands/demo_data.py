"""Load demo data into the configured database, which must not have any businesses yet."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from time import monotonic
from types import TracebackType
from typing import Any, Self

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import Progress, TaskID

from waops.demo import SIZES, DemoDataError, Stage, Summary, load
from waops.demo.tables import ESCALATIONS, MESSAGES, PROFILES
from waops.embedded import EmbeddedServerError

PATIENCE = 1.0
"""Seconds without a progress bar."""


class Command(BaseCommand):
    help = (
        "For development and tests: fills the tables with believable businesses, customers, conversations and "
        "escalations in Arabic and English, the same ones for the same seed."
    )
    # May run before migrate, when the checks still have something to say.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--size", choices=tuple(SIZES), default="small", help="How much (small).")
        parser.add_argument("--seed", type=int, default=2026, help="Chooses everything that is drawn (2026).")
        parser.add_argument(
            "--now",
            type=moment,
            help="The moment the data is as of, such as 2026-01-31T12:00Z; by default the start of this hour.",
        )
        parser.add_argument("--force", action="store_true", help="Add to a database that already has businesses.")

    def handle(
        self, *, size: str, seed: int, now: datetime | None, force: bool, verbosity: int, **options: Any
    ) -> None:
        started = monotonic()
        try:
            connection.ensure_connection()
            with Bar(enabled=verbosity > 0) as bar:
                summary = load(connection.connection, size, seed, now, bar, force=force)
        except (DemoDataError, EmbeddedServerError, DatabaseError) as error:
            raise CommandError(str(error)) from error
        if verbosity:
            self._report(summary, monotonic() - started)

    def _report(self, summary: Summary, seconds: float) -> None:
        text = _(
            "Loaded %(businesses)d businesses, %(messages)d messages and %(escalations)d escalations "
            "in %(seconds).1f seconds."
        )
        self.stdout.write(
            text
            % {
                "businesses": summary.counts[PROFILES.name],
                "messages": summary.counts[MESSAGES.name],
                "escalations": summary.counts[ESCALATIONS.name],
                "seconds": seconds,
            }
        )
        for state in summary.left_out:
            self.stdout.write(_("Left out: %(state)s.") % {"state": state})


class Bar:
    """A progress bar on the terminal that appears after a second."""

    def __init__(self, *, enabled: bool) -> None:
        console = Console(stderr=True)
        self._progress = Progress(console=console, disable=not (enabled and console.is_terminal))
        self._tasks: dict[Stage, TaskID] = {}
        self._started = monotonic()

    def __call__(self, stage: Stage, done: int, total: int) -> None:
        if stage not in self._tasks:
            name = _("Messages") if stage == "messages" else _("Indexes")
            self._tasks[stage] = self._progress.add_task(name, total=total)
        self._progress.update(self._tasks[stage], completed=done)
        if monotonic() - self._started > PATIENCE:
            self._progress.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()


def moment(text: str) -> datetime:
    """A date and time; UTC unless it says otherwise."""
    try:
        value = parse_datetime(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
    if value is None:
        raise ArgumentTypeError(_("not a date and time: %(text)s") % {"text": text})
    return value if value.tzinfo else value.replace(tzinfo=UTC)
