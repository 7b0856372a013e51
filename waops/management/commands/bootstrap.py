"""Make the embedded database ready for a newcomer; harmless to repeat. `make run` calls it before the server."""

import socket
from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils.translation import gettext as _

from waops.checks.connection import required_tables
from waops.live_schema import live_tables


class Command(BaseCommand):
    help = "Prepares the embedded database: baseline tables, migrations, demo data and accounts. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="Port the server is going to use.")

    def handle(self, *, port: int, **options: Any) -> None:
        refuse_busy_port(port)
        if settings.EMBEDDED_POSTGRES:
            self.prepare()
        address = f"http://127.0.0.1:{port}/"
        self.stdout.write(self.style.SUCCESS(_("Open %(address)s — Ctrl-C stops it.") % {"address": address}))

    def prepare(self) -> None:
        if not live_tables().keys() & set(required_tables()):
            self.step(_("Loading the baseline tables"), "load_baseline")
        self.step(_("Migrating"), "migrate")
        if not has_businesses():
            self.step(_("Loading demo data"), "demo_data")
        call_command("create_demo_staff", stdout=self.stdout)
        call_command("demo_quota", stdout=StringIO())
        call_command("demo_desk", stdout=StringIO())

    def step(self, title: str, command: str) -> None:
        self.stdout.write(f"{title}…")
        call_command(command, verbosity=0)


def refuse_busy_port(port: int) -> None:
    """Raise CommandError if something listens on that port of 127.0.0.1 already."""
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
