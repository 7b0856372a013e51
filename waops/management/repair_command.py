"""The command of a repair: parse, run, say."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from time import monotonic
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError, connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from rich.console import Console
from rich.progress import Progress
from rich.table import Column, Table

from waops.operations.errors import MigrationStopped
from waops.operations.locks import sqlstate
from waops.repair import Repair, Report

PATIENCE = 1.0
"""Seconds without a progress bar."""
UNDEFINED_TABLE = "42P01"


class RepairCommand(BaseCommand):
    """Subclasses name their `repair` and say in `done_to_rows` what happens to the rows that do not stay."""

    repair: ClassVar[Repair]
    # It may be what makes the database fit for the checks.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--apply", action="store_true", help="Do it. Without this, only say what would be done.")
        parser.add_argument("--json", action="store_true", help="Print the report as one JSON object.")

    def handle(self, *, apply: bool, json: bool, verbosity: int, **options: Any) -> None:
        try:
            report = self._run(apply, quiet=json or verbosity == 0)
        except ProgrammingError as error:
            if sqlstate(error) != UNDEFINED_TABLE:
                raise
            raise CommandError(
                _("A table that the repair needs is not there yet: %(error)s Run manage.py migrate first.")
                % {"error": str(error).strip()}
            ) from error
        except (MigrationStopped, OperationalError) as error:
            raise CommandError(
                _("%(error)s What was repaired before stays repaired: run it again.") % {"error": str(error).strip()}
            ) from error
        if json:
            self.stdout.write(as_json(report))
        elif verbosity:
            self._print(report)

    def _run(self, apply: bool, *, quiet: bool) -> Report:
        begin = monotonic()
        with Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar:
            task = bar.add_task(self.repair.name, total=None, visible=False)

            def progress(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total, visible=monotonic() - begin > PATIENCE)

            return self.repair.run(connection, apply=apply, progress=progress)

    def _print(self, report: Report) -> None:
        if not report.groups:
            self.stdout.write(_("Nothing to repair in %(table)s.") % {"table": report.table})
            return
        console = Console(file=self.stdout)  # type: ignore[arg-type]
        console.print(self._table(report))
        self.stdout.write(self._summary(report))

    def _table(self, report: Report) -> Table:
        # Folded, not cut: whoever looks into it needs the whole ids.
        headings = (*self.repair.key, _("stays"), self.outcome())
        table = Table(*(Column(heading, overflow="fold") for heading in headings), title=_("Examples"))
        for group in report.examples:
            table.add_row(*group.key, group.kept, "\n".join(group.others))
        return table

    def _summary(self, report: Report) -> str:
        found = ngettext(
            "%(table)s: %(rows)s row too many (keys concerned: %(groups)s).",
            "%(table)s: %(rows)s rows too many (keys concerned: %(groups)s).",
            report.rows,
        ) % {"table": report.table, "rows": report.rows, "groups": report.groups}
        if report.changed is None:
            return f"{found} " + _("Nothing was changed; add --apply to do it.")
        return f"{found} " + ngettext(
            "%(rows)s row was repaired; as it was before, it is kept in the archive (archived rows).",
            "%(rows)s rows were repaired; as they were before, they are kept in the archive (archived rows).",
            report.changed,
        ) % {"rows": report.changed}

    def outcome(self) -> str:
        """Heading of what happens to the rows that do not stay."""
        raise NotImplementedError


def as_json(report: Report) -> str:
    return json.dumps(asdict(report), ensure_ascii=False)
