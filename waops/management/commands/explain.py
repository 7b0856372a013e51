"""Record how the hot statements run, and compare two records."""

from argparse import ArgumentParser
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rich.console import Console
from rich.progress import Progress

from waops.operate.explain import RUNS, SECONDS, ExplainError, record
from waops.operate.explain_comparison import compare_baselines
from waops.operate.figures import Column, Figures, Kind
from waops.operate.models import ExplainBaseline
from waops.operate.terminal import OperationsCommand

COLUMNS = (
    Column("name", gettext_lazy("name")),
    Column("recorded_at", gettext_lazy("recorded at"), Kind.TIME),
    Column("server_version", gettext_lazy("server version"), Kind.NAME),
)


@dataclass(frozen=True)
class Listed:
    name: str
    recorded_at: datetime
    server_version: int


class Command(OperationsCommand):
    help = (
        "Runs the hot statements under EXPLAIN ANALYZE (writes are rolled back), keeps the plans, compares two records."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        actions = parser.add_subparsers(dest="action", required=True)
        recording = actions.add_parser("record", help="Run and keep.")
        recording.add_argument("name", help="Such as before, or after-indexes.")
        recording.add_argument("--runs", type=int, default=RUNS, help=f"How often each is run ({RUNS}).")
        recording.add_argument("--timeout", type=float, default=SECONDS, help=f"Seconds for one run ({SECONDS:g}).")
        comparing = actions.add_parser("compare", help="Compare two records.")
        comparing.add_argument("before")
        comparing.add_argument("after")
        actions.add_parser("list", help="List the records.")

    def run(self, *args: Any, action: str, **options: Any) -> bool:
        if action == "record":
            self._record(options["name"], options["runs"], options["timeout"])
        elif action == "compare":
            self.show(figures=[compare_baselines(_find(options["before"]), _find(options["after"]))])
        else:
            self.show(figures=[listing()])
        return False

    def _record(self, name: str, runs: int, seconds: float) -> None:
        with Progress(console=Console(stderr=True), transient=True, disable=self.as_json) as bar:
            task = bar.add_task(_("Statements"))
            try:
                baseline = record(
                    name,
                    runs=runs,
                    seconds=seconds,
                    progress=lambda done, total: bar.update(task, completed=done, total=total),
                )
            except ExplainError as error:
                raise CommandError(str(error)) from error
        if self.as_json:
            self.show(data=baseline.plans)
        else:
            count = len(baseline.plans["statements"])
            self.stdout.write(_("Recorded “%(name)s”: %(count)s statements.") % {"name": name, "count": count})


def listing() -> Figures:
    rows = [Listed(*row) for row in ExplainBaseline.objects.values_list("name", "recorded_at", "server_version")[:50]]
    return Figures("baselines", gettext_lazy("EXPLAIN baselines"), COLUMNS, rows)


def _find(name: str) -> ExplainBaseline:
    found = ExplainBaseline.objects.filter(name=name).first()
    if found is None:
        raise CommandError(_("There is no baseline “%(name)s”; see manage.py explain list.") % {"name": name})
    return found
