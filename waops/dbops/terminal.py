"""What the operators' commands share: tables for people, JSON for machines, exit code 1 if something is wrong."""

import json
import re
import sys
from abc import ABC, abstractmethod
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError
from django.utils.translation import gettext as _
from rich import box
from rich.table import Table

from waops.database.errors import sqlstate
from waops.dbops.figures import Figures, Kind
from waops.dbops.findings import Finding, Severity, is_wrong
from waops.serving.terminal import Terminal, line, plain

SQL_WIDTH = 60
"""Columns of the terminal."""

UNDEFINED_TABLE, UNDEFINED_SCHEMA = "42P01", "3F000"
OURS = re.compile(r'"(waops|waops_\w+|django_migrations)"')

COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def _in_words(error: Exception) -> str:
    text = plain(error).strip()
    if (
        isinstance(error, DatabaseError)
        and sqlstate(error) in {UNDEFINED_TABLE, UNDEFINED_SCHEMA}
        and OURS.search(text)
    ):
        return _("This app's own tables are not in this database yet. Create them: manage.py migrate waops")
    return text


class OperationsCommand(BaseCommand):
    """Subclasses implement `run` and print through `show`; a database error becomes one line, not a traceback."""

    # The checks would refuse to start in the very states these commands explain.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print JSON for machines.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.as_json: bool = options["json"]
        self.console = Terminal(self.stdout, no_color=options["no_color"])
        try:
            wrong = self.run(**options)
        except DatabaseError as error:
            raise CommandError(_in_words(error)) from error
        if wrong:
            sys.exit(1)

    def run(self, *args: Any, **options: Any) -> bool:
        """Do the command's work. Returns whether something is wrong."""
        raise NotImplementedError

    def show(
        self, *, findings: Iterable[Finding] | None = None, figures: Iterable[Figures] = (), data: Any = None
    ) -> bool:
        """Print. Returns whether a finding is more than a note. `data`, if given, is what `--json` prints instead."""
        found = None if findings is None else list(findings)
        tables = list(figures)
        if self.as_json:
            if data is None:
                data = {table.key: table.to_json() for table in tables}
                if found is not None:
                    data = {"findings": [finding.to_json() for finding in found], **data}
            # The encoder keeps times as ISO 8601; enumerations print as their values.
            self.stdout.write(json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2))
        else:
            for table in tables:
                self.show_figures(table)
            if found is not None:
                self.show_findings(found)
        return is_wrong(found or ())

    def show_figures(self, figures: Figures) -> None:
        self.console.print(line("\n", (figures.title, "bold")))
        if figures.unavailable:
            self.console.print(str(figures.unavailable))
            self.console.print(f"  {figures.remedy}", style="green")
            return
        table = Table(box=box.SIMPLE_HEAD)
        for column in (column for column in figures.columns if not column.wide):
            table.add_column(
                str(column.label),
                justify="right" if column.kind.is_number else "left",
                overflow="ellipsis" if column.kind is Kind.SQL else "fold",
                no_wrap=column.kind is not Kind.TEXT,
                max_width=SQL_WIDTH if column.kind is Kind.SQL else None,
            )
        for row in figures.cells():
            table.add_row(*(cell.text for cell in row if not cell.column.wide))
        self.console.print(table if figures.rows else str(figures.empty))
        if figures.note:
            self.console.print(str(figures.note), style="dim")

    def show_findings(self, findings: list[Finding]) -> None:
        if not findings:
            self.console.print(_("Nothing is wrong."), style="green")
        for finding in findings:
            heading = (finding.severity.label, f"bold {COLOURS[finding.severity]}")
            subject = (finding.subject, "bold")
            self.console.print(line("\n", heading, " ", subject, f": {finding.what} ", (f"({finding.code})", "dim")))
            self.console.print(f"  {finding.why}")
            for fix in finding.fix:
                self.console.print(f"  {fix}", style="green")


class Subcommand(ABC):
    """What a word after a command does: `doctor drift`, `repair schema`. Apps register theirs with the command."""

    name: str
    help: str

    def add_arguments(self, parser: ArgumentParser) -> None:  # noqa: B027 most words have no options
        """Add the options that follow the word."""

    @abstractmethod
    def run(self, command: OperationsCommand, *args: Any, **options: Any) -> bool:
        """Do the work and print it through `command`. Returns whether something is wrong."""


class CommandGroup(OperationsCommand):
    """A command with several subcommands. Without one it lists them, unless `run_alone` is overridden."""

    speaks_json: ClassVar[bool] = True

    def subcommands(self) -> Sequence[Subcommand]:
        raise NotImplementedError

    def add_arguments(self, parser: ArgumentParser) -> None:
        if self.speaks_json:
            super().add_arguments(parser)
        words = parser.add_subparsers(dest="word", metavar="WORD", title="subcommands", help="One of these:")
        for subcommand in self.subcommands():
            word = words.add_parser(subcommand.name, help=subcommand.help, description=subcommand.help)
            self._add_common_arguments(word)
            subcommand.add_arguments(word)

    def _add_common_arguments(self, word: ArgumentParser) -> None:
        """Accept the command's own options after the word too, without overriding those before it."""
        if self.speaks_json:
            word.add_argument("--json", action="store_true", default=SUPPRESS, help="Print JSON for machines.")
        word.add_argument("-v", "--verbosity", type=int, choices=range(4), default=SUPPRESS, help=SUPPRESS)
        for option in ("--traceback", "--no-color", "--force-color"):
            word.add_argument(option, action="store_true", default=SUPPRESS, help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **{"json": False, **options})

    def run(self, *args: Any, word: str | None, **options: Any) -> bool:
        for subcommand in self.subcommands():
            if subcommand.name == word:
                return subcommand.run(self, **options)
        return self.run_alone(**options)

    def run_alone(self, **options: Any) -> bool:
        """What the command does without a subcommand."""
        if self.as_json:
            self.show(data={one.name: one.help for one in self.subcommands()})
            return False
        table = Table(box=None, show_header=False)
        for one in self.subcommands():
            table.add_row(one.name, one.help)
        self.console.print(table)
        return False
