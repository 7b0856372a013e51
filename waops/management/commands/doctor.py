"""Report what is wrong with this database, and what fixes it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import connection
from django.utils.translation import gettext as _

from waops.database import incidents
from waops.dbops.connections import report_connections
from waops.dbops.doctor import diagnose, functions
from waops.dbops.drift import accept, find_drift
from waops.dbops.figures import moment
from waops.dbops.findings import worst_first
from waops.dbops.indexes import report_indexes
from waops.dbops.people import shell_user
from waops.dbops.reading import bounded
from waops.dbops.security import LinterFailed, lint_security, run_linter
from waops.dbops.statements import LIMIT, ORDERS, Order, read_statements, statement_figures
from waops.dbops.tables import report_tables, service_tables
from waops.dbops.terminal import CommandGroup, OperationsCommand, Subcommand


class Indexes(Subcommand):
    name = "indexes"
    help = "Lists indexes of the service's tables: use, size, bloat, and which are invalid, redundant or unused."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="Indexes of all tables of this database.")

    def run(self, command: OperationsCommand, **options: Any) -> bool:
        with bounded(connection):
            report = report_indexes(connection, None if options["all"] else service_tables())
        return command.show(findings=worst_first(report.findings), figures=[report.figures])


class Tables(Subcommand):
    name = "tables"
    help = (
        "Lists the service's tables: rows, sizes, dead rows, reads from memory and by index, last vacuum and analyze."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="All tables of this database.")

    def run(self, command: OperationsCommand, **options: Any) -> bool:
        with bounded(connection):
            report = report_tables(connection, None if options["all"] else service_tables())
        return command.show(findings=worst_first(report.findings), figures=[report.figures])


class Queries(Subcommand):
    name = "queries"
    help = "Lists the most expensive statements, from pg_stat_statements, or says how to enable that extension."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--ours",
            action="store_true",
            help="Only statements on the service's and this app's tables, and calls of its functions.",
        )
        parser.add_argument("--order", choices=ORDERS, default="total", help="Sort order (total).")
        parser.add_argument("--limit", type=int, default=20, help=f"Number of statements, at most {LIMIT} (20).")

    def run(self, command: OperationsCommand, *, ours: bool, order: Order, limit: int, **options: Any) -> bool:
        with bounded(connection):
            statements = read_statements(connection, ours_only=ours, order=order, limit=max(1, min(limit, LIMIT)))
            figures = statement_figures(statements, connection)
        command.show(figures=[figures])
        if statements.since and not command.as_json:
            command.stdout.write(moment(statements.since))
        return bool(statements.unavailable)


class Connections(Subcommand):
    name = "connections"
    help = "Lists connections by role, application and state against the limit, and sessions that block each other."

    def run(self, command: OperationsCommand, **options: Any) -> bool:
        with bounded(connection):
            report = report_connections(connection)
        return command.show(findings=worst_first(report.findings), figures=report.figures)


class Security(Subcommand):
    name = "security"
    help = "Lists functions anyone can call, default privileges, exposed tables, and search paths a caller can change."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--linter", type=Path, metavar="FILE", help="Run your copy of Supabase's splinter.sql too.")

    def run(self, command: OperationsCommand, *, linter: Path | None, **options: Any) -> bool:
        with bounded(connection):
            findings = lint_security(connection)
        if linter is not None:
            try:
                findings += run_linter(connection, linter)
            except LinterFailed as error:
                raise CommandError(str(error)) from error
        return command.show(findings=worst_first(findings))


class Drift(Subcommand):
    name = "drift"
    help = (
        "Compares the service's tables with those this app was written for, and our functions, grants and triggers "
        "with what was installed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--accept", metavar="KEY", help="Stop reporting this difference.")

    def run(self, command: OperationsCommand, **options: Any) -> bool:
        if (key := options["accept"]) is not None:
            try:
                accept(connection, key, shell_user())
            except LookupError as error:
                raise CommandError(_("This difference no longer exists: %(key)s") % {"key": key}) from error
            command.stdout.write(_("Accepted: %(key)s") % {"key": key})
            return False
        with bounded(connection):
            findings = [*find_drift(connection), *functions.examine(connection).findings]
        return command.show(findings=worst_first(findings))


class Command(CommandGroup):
    help = (
        "Checks indexes, functions, rollout, data and backups of this database; each finding comes with its fix. "
        "A subcommand shows one area in detail."
    )

    def subcommands(self) -> list[Subcommand]:
        return [Indexes(), Tables(), Queries(), Connections(), Security(), Drift()]

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--acknowledge", metavar="FUNCTION", help="Mark this function's fallbacks so far as seen.")

    def run_alone(self, **options: Any) -> bool:
        function = options["acknowledge"]
        if function is not None and not incidents.acknowledge(function, shell_user()):
            raise CommandError(_("No open incidents for “%(function)s”.") % {"function": function})
        diagnosis = diagnose()
        return self.show(findings=diagnosis.findings, figures=diagnosis.figures)
