"""Prepare the embedded database for a newcomer; safe to repeat. `make run` calls it before the server."""

import socket
from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils.translation import gettext as _

from waops.database.checks.connection import required_tables
from waops.database.live_schema import live_tables
from waops.dbops.plan import other_migrations
from waops.dev.embedded import project_server


class Command(BaseCommand):
    help = "Prepares the embedded database: baseline tables, migrations, demo data and accounts. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="Port of the server.")

    def handle(self, *, port: int, **options: Any) -> None:
        refuse_busy_port(port)
        if settings.EMBEDDED_POSTGRES:
            self.prepare()
        address = f"http://127.0.0.1:{port}/"
        self.stdout.write(self.style.SUCCESS(_("Open %(address)s. Stop with Ctrl-C.") % {"address": address}))

    def prepare(self) -> None:
        if not live_tables().keys() & set(required_tables()):
            self.step(_("Loading the baseline tables"), "demo", "baseline")
        refuse_other_version()
        self.step(_("Migrating"), "migrate")
        if not has_businesses():
            self.step(_("Loading demo data"), "demo", "data")
        call_command("demo", "staff", stdout=self.stdout)
        call_command("demo", "quota", stdout=StringIO())
        call_command("demo", "desk", stdout=StringIO())

    def step(self, title: str, *command: str) -> None:
        self.stdout.write(f"{title}…")
        call_command(*command, verbosity=0)


def refuse_other_version() -> None:
    """Raise CommandError if another version of this app, with other migrations, created the embedded database."""
    if other_migrations(connection):
        raise CommandError(
            _(
                "The database in %(folder)s was created by another version of this app and cannot be migrated to "
                "this one. Stop what uses it, save what you need, and delete that folder: make run then starts from "
                "scratch."
            )
            % {"folder": project_server(settings.BASE_DIR).home}
        )


def refuse_busy_port(port: int) -> None:
    """Raise CommandError if something already listens on that port of 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise CommandError(
                _("Port %(port)s cannot be used (%(error)s). Choose another: make run PORT=8001")
                % {"port": port, "error": getattr(error, "strerror", None) or error}
            ) from None


def has_businesses() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM public.profiles)")
        return bool(cursor.fetchone() == (True,))
