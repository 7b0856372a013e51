"""How the operators' commands speak: tables for people, JSON for machines, exit code 1 when something is wrong."""

import json
import re
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError
from django.utils.translation import gettext as _
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from waops.embedded import EmbeddedServerError
from waops.operate.figures import Figures, Kind
from waops.operate.findings import Finding, Severity, is_wrong
from waops.operations.locks import sqlstate

PIPE_WIDTH = 200
SQL_WIDTH = 60
"""Columns of the terminal."""

UNDEFINED_TABLE = "42P01"
OURS = re.compile(r'"(waops_\w+|django_migrations)"')

COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def _in_words(error: Exception) -> str:
    text = str(error).strip()
    if isinstance(error, DatabaseError) and sqlstate(error) == UNDEFINED_TABLE and OURS.search(text):
        return _("This app's own tables are not in this database yet. Make them: manage.py migrate waops")
    return text


class OperationsCommand(BaseCommand):
    """Subclasses implement `run` and print through `show`; a database error ends as one line, not a traceback."""

    # The checks would refuse to start on the very states that these commands explain.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print JSON for machines.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.as_json: bool = options["json"]
        # A file or a pipe has no width; tables are not to be folded there.
        width = None if sys.stdout.isatty() else PIPE_WIDTH
        self.console = Console(
            file=self.stdout,  # type: ignore[arg-type]
            no_color=options["no_color"],
            width=width,
            highlight=False,
        )
        try:
            wrong = self.run(**options)
        except (DatabaseError, EmbeddedServerError) as error:
            raise CommandError(_in_words(error)) from error
        if wrong:
            sys.exit(1)

    def run(self, *args: Any, **options: Any) -> bool:
        """Do the command's work; whether something is wrong."""
        raise NotImplementedError

    def show(
        self, *, findings: Iterable[Finding] | None = None, figures: Iterable[Figures] = (), data: Any = None
    ) -> bool:
        """Print; whether a finding is more than a note. `data`, if given, is what `--json` prints instead."""
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
        self.console.print(f"\n[bold]{escape(str(figures.title))}[/bold]")
        if figures.unavailable:
            self.console.print(escape(str(figures.unavailable)))
            self.console.print(f"  {escape(figures.remedy)}", style="green")
            return
        table = Table(box=box.SIMPLE_HEAD)
        for column in (column for column in figures.columns if not column.wide):
            table.add_column(
                escape(str(column.label)),
                justify="right" if column.kind.is_number else "left",
                overflow="ellipsis" if column.kind is Kind.SQL else "fold",
                no_wrap=column.kind is not Kind.TEXT,
                max_width=SQL_WIDTH if column.kind is Kind.SQL else None,
            )
        for row in figures.cells():
            table.add_row(*(escape(cell.text) for cell in row if not cell.column.wide))
        self.console.print(table if figures.rows else escape(str(figures.empty)))
        if figures.note:
            self.console.print(escape(str(figures.note)), style="dim")

    def show_findings(self, findings: list[Finding]) -> None:
        if not findings:
            self.console.print(escape(_("Nothing is wrong.")), style="green")
        for finding in findings:
            heading = f"[bold {COLOURS[finding.severity]}]{escape(finding.severity.label)}[/]"
            subject = f"[bold]{escape(finding.subject)}[/]"
            self.console.print(f"\n{heading} {subject}: {escape(finding.what)} [dim]({finding.code})[/]")
            self.console.print(f"  {escape(finding.why)}")
            for line in finding.fix:
                self.console.print(f"  {escape(line)}", style="green")
