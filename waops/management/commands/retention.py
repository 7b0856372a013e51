import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from rich.console import Console
from rich.progress import Progress
from rich.table import Column, Table

from waops.retention import KEPT, Outcome, RetentionError, retain


class Command(BaseCommand):
    help = (
        "Lists which of the app's own rows are past their period (RETENTION_DAYS). With --apply it removes them, in "
        "batches; repeatable. Never touches the service's tables, nor any history that decisions rest on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--apply", action="store_true", help="Remove them. Without it nothing is changed.")
        parser.add_argument("--json", action="store_true", help="Print the result as one JSON object.")

    def handle(self, *, apply: bool, json: bool, verbosity: int, **options: Any) -> None:
        try:
            outcomes = self._run(apply, quiet=json or verbosity == 0)
        except RetentionError as error:
            raise CommandError(str(error)) from error
        if json:
            self._print_json(apply, outcomes)
        elif verbosity:
            self._print(apply, outcomes)

    def _run(self, apply: bool, *, quiet: bool) -> list[Outcome]:
        with Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar:
            task = bar.add_task(_("Removed"), total=None)
            return list(retain(apply=apply, tell=lambda removed: bar.advance(task, removed)))

    def _print_json(self, apply: bool, outcomes: list[Outcome]) -> None:
        report = {"applied": apply, "tables": [outcome.to_json() for outcome in outcomes]}
        self.stdout.write(json.dumps(report, indent=2))

    def _print(self, apply: bool, outcomes: list[Outcome]) -> None:
        labels = {kept.name: str(kept.label) for kept in KEPT}
        table = Table(
            _("What"),
            _("Name in RETENTION_DAYS"),
            *(Column(title, justify="right") for title in (_("Days kept"), _("Older"), _("Removed"))),
        )
        for outcome in outcomes:
            numbers = (outcome.days, outcome.old, outcome.removed)
            table.add_row(labels[outcome.name], outcome.name, *(f"{number:,}" for number in numbers))
        Console(file=self.stdout).print(table)  # type: ignore[arg-type]
        if apply:
            removed = sum(outcome.removed for outcome in outcomes)
            self.stdout.write(
                ngettext("%(count)s row removed.", "%(count)s rows removed.", removed) % {"count": removed}
            )
        else:
            self.stdout.write(_("Nothing was changed; --apply removes what is older."))
