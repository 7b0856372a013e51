"""What others may do with this database's functions and tables."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import connection

from waops.operate.findings import worst_first
from waops.operate.reading import bounded
from waops.operate.security import LinterFailed, lint_security, run_linter
from waops.operate.terminal import OperationsCommand


class Command(OperationsCommand):
    help = "Functions open to anybody, default privileges, exposed tables, search paths that a caller can change."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--linter", type=Path, metavar="FILE", help="Run your copy of Supabase's splinter.sql too.")

    def run(self, *args: Any, linter: Path | None = None, **options: Any) -> bool:
        with bounded(connection):
            findings = lint_security(connection)
        if linter is not None:
            try:
                findings += run_linter(connection, linter)
            except LinterFailed as error:
                raise CommandError(str(error)) from error
        return self.show(findings=worst_first(findings))
