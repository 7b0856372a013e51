"""Do the periodic work that is due, from cron."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from waops.dbops.periodic import BusyError, Outcome, look_at_parts, parts, periodic_figures, run_parts
from waops.dbops.terminal import OperationsCommand
from waops.serving.terminal import plain


class Command(OperationsCommand):
    help = (
        "Does the periodic work that is due and shows when each part last ran. Run it from cron every minute. A part "
        "that fails does not stop the others, but the exit code is 1. With --verbosity 0 only failures are printed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--only",
            action="append",
            default=[],
            choices=[part.name for part in parts()],
            help="Run this part now, even if it is not due. Repeatable.",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Run nothing; show what would be done, where the part supports it."
        )

    def run(self, *, only: list[str], dry_run: bool, verbosity: int, **options: Any) -> bool:
        outcomes: list[Outcome] = []
        try:
            for outcome in look_at_parts(only) if dry_run else run_parts(only):
                outcomes.append(outcome)
                if not self.as_json:
                    self._print(outcome, verbosity)
        except BusyError as error:
            if only:
                raise CommandError(str(error)) from error
            if verbosity:
                self.stderr.write(str(error))
        if self.as_json:
            state = periodic_figures().to_json()["rows"]
            self.show(data={"parts": [outcome.to_json() for outcome in outcomes], "last_runs": state})
        elif verbosity:
            self.show_figures(periodic_figures())
        return any(outcome.problem for outcome in outcomes)

    def _print(self, outcome: Outcome, verbosity: int) -> None:
        name = outcome.part.name
        if outcome.problem:
            self.stderr.write(_("%(part)s failed: %(problem)s") % {"part": name, "problem": outcome.problem})
        elif outcome.done and verbosity:
            for figures in outcome.done.figures:
                self.show_figures(figures)
            self.stdout.write(f"{name}: {plain(outcome.done.text)}")
