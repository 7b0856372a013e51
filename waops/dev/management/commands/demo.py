"""Fill a database for development, demonstrations and tests."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from time import monotonic
from types import TracebackType
from typing import Any, Self, get_args

import psycopg
from django.apps import apps
from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError, OperationalError, connection
from django.utils.dateparse import parse_datetime
from django.utils.module_loading import module_has_submodule
from django.utils.translation import gettext as _
from rich.progress import TaskID
from rich.table import Table

from waops.dbops.terminal import CommandGroup, OperationsCommand, Subcommand
from waops.dev import baseline
from waops.dev.baseline import BaselineError, Variant
from waops.dev.demo import SIZES, DemoDataError, Stage, Summary, load
from waops.dev.demo.staff import create_staff
from waops.dev.demo.tables import ESCALATIONS, MESSAGES, PROFILES
from waops.dev.embedded.server import SUPERUSER
from waops.serving.terminal import progress_bar

PATIENCE = 1.0
"""Seconds without a progress bar."""


class Baseline(Subcommand):
    name = "baseline"
    help = (
        "Creates, in an empty database, the tables, functions and roles that Supabase provides. "
        "Needs a superuser; the embedded server has one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--variant",
            choices=get_args(Variant),
            default="before",
            help="The database before the owner's plan, or with its indexes and functions (before).",
        )
        parser.add_argument(
            "--without-optional-tables",
            action="store_true",
            help="Leave out support_team_numbers and customer_profiles, which some deployments lack.",
        )
        parser.add_argument(
            "--older",
            action="store_true",
            help="Like older deployments: escalation_threshold, and the older list of escalation reasons.",
        )

    def run(
        self,
        command: OperationsCommand,
        *,
        variant: Variant,
        without_optional_tables: bool,
        older: bool,
        verbosity: int,
        **options: Any,
    ) -> bool:
        try:
            with superuser_connection() as superuser:
                baseline.load(superuser, variant, optional_tables=not without_optional_tables, older=older)
                database = superuser.info.dbname
        except (BaselineError, OperationalError, psycopg.OperationalError) as error:
            raise CommandError(str(error)) from error
        if verbosity:
            command.stdout.write(
                _("Loaded the baseline, variant “%(variant)s”, into database “%(database)s”.")
                % {"variant": variant, "database": database}
            )
        return False


def superuser_connection() -> psycopg.Connection:
    """Connect to the configured database: as the superuser on the embedded server, otherwise as in DATABASE_URL.

    Not Django's own connection, which on the embedded server belongs to the tables' owner.
    """
    params = connection.get_connection_params()
    if settings.EMBEDDED_POSTGRES:
        params["user"] = SUPERUSER
    return psycopg.connect(**params)


class Data(Subcommand):
    name = "data"
    help = (
        "Adds realistic businesses, customers, conversations and escalations in Arabic and English. The same seed "
        "gives the same data."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--size", choices=tuple(SIZES), default="small", help="Amount of data (small).")
        parser.add_argument("--seed", type=int, default=2026, help="Seed of the random data (2026).")
        parser.add_argument(
            "--now",
            type=moment,
            help="The current time of the data, such as 2026-01-31T12:00Z; by default the start of this hour.",
        )
        parser.add_argument("--force", action="store_true", help="Add to a database that already has businesses.")

    def run(
        self,
        command: OperationsCommand,
        *,
        size: str,
        seed: int,
        now: datetime | None,
        force: bool,
        verbosity: int,
        **options: Any,
    ) -> bool:
        started = monotonic()
        try:
            connection.ensure_connection()
            with Bar(enabled=verbosity > 0) as bar:
                summary = load(connection.connection, size, seed, now, bar, force=force)
        except (DemoDataError, DatabaseError) as error:
            raise CommandError(str(error)) from error
        if verbosity:
            self._report(command, summary, monotonic() - started)
        return False

    def _report(self, command: OperationsCommand, summary: Summary, seconds: float) -> None:
        text = _(
            "Loaded %(businesses)d businesses, %(messages)d messages and %(escalations)d escalations "
            "in %(seconds).1f seconds."
        )
        command.stdout.write(
            text
            % {
                "businesses": summary.counts[PROFILES.name],
                "messages": summary.counts[MESSAGES.name],
                "escalations": summary.counts[ESCALATIONS.name],
                "seconds": seconds,
            }
        )
        for state in summary.left_out:
            command.stdout.write(_("Left out: %(state)s.") % {"state": state})


class Bar:
    """A progress bar on the terminal that appears after a second."""

    def __init__(self, *, enabled: bool) -> None:
        self._progress = progress_bar(disable=not enabled)
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
    """A date and time; UTC unless it has an offset."""
    try:
        value = parse_datetime(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
    if value is None:
        raise ArgumentTypeError(_("not a date and time: %(text)s") % {"text": text})
    return value if value.tzinfo else value.replace(tzinfo=UTC)


class Staff(Subcommand):
    name = "staff"
    help = "Creates the accounts support, support2, manager, operator and admin, with known passwords."

    def run(self, command: OperationsCommand, **options: Any) -> bool:
        if not (settings.EMBEDDED_POSTGRES or settings.DEBUG):
            raise CommandError(
                _(
                    "Demo accounts have known passwords and do not belong on a real database. "
                    "Make an administrator with: manage.py createsuperuser"
                )
            )
        table = Table(_("User name"), _("Password"), _("Group"))
        for username, password, group in create_staff():
            table.add_row(username, password, group or _("Administrator"))
        command.console.print(table)
        return False


def parts_of_apps() -> Iterator[Subcommand]:
    """An app with demo data has a module `demo` with a PART, which only this command imports."""
    for config in apps.get_app_configs():
        if config.module and module_has_submodule(config.module, "demo"):
            part = getattr(import_module(f"{config.name}.demo"), "PART", None)
            if isinstance(part, Subcommand):
                yield part


class Command(CommandGroup):
    help = "Fills a database for development, demonstrations and tests. Without a subcommand, lists what it can add."
    speaks_json = False

    def subcommands(self) -> list[Subcommand]:
        return [Baseline(), Data(), Staff(), *parts_of_apps()]
