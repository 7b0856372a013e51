"""Keep the database's figures, for cron; list and compare those that were kept."""

from argparse import ArgumentParser
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from waops.operate.comparison import compare
from waops.operate.figures import Column, Figures, Kind
from waops.operate.models import Snapshot
from waops.operate.snapshots import KEEP_DAYS, prune, take_snapshot
from waops.operate.terminal import OperationsCommand

COLUMNS = (
    Column("pk", gettext_lazy("number"), Kind.NAME),
    Column("taken_at", gettext_lazy("taken at"), Kind.TIME),
    Column("commit_ms", gettext_lazy("one commit, ms"), Kind.MILLISECONDS),
    Column("note", gettext_lazy("note")),
)


@dataclass(frozen=True)
class Listed:
    pk: int
    taken_at: datetime
    commit_ms: float | None
    note: str


class Command(OperationsCommand):
    help = (
        "Keeps the figures of slow queries, tables, indexes, write-ahead log and commits. Run it from cron, every hour."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--note", default="", help="What it is for; a snapshot with a note is kept for ever.")
        parser.add_argument("--keep", type=int, default=KEEP_DAYS, help=f"Days that others are kept ({KEEP_DAYS}).")
        parser.add_argument("--list", action="store_true", help="List the newest 50 instead of taking one.")
        parser.add_argument("--compare", nargs=2, metavar=("A", "B"), help="Numbers of two snapshots.")

    def run(self, *args: Any, **options: Any) -> bool:
        if options["list"]:
            self.show(figures=[listing()])
        elif options["compare"]:
            self.show(figures=compare(*(_find(number) for number in options["compare"])))
        else:
            taken = take_snapshot(options["note"])
            prune(options["keep"])
            self.show(figures=[Figures("snapshot", gettext_lazy("Snapshot"), COLUMNS, [taken])])
        return False


def listing() -> Figures:
    rows = [Listed(*row) for row in Snapshot.objects.values_list("pk", "taken_at", "commit_ms", "note")[:50]]
    return Figures("snapshots", gettext_lazy("Snapshots"), COLUMNS, rows)


def _find(number: str) -> Snapshot:
    found = Snapshot.objects.filter(pk=number).first() if number.isdecimal() else None
    if found is None:
        raise CommandError(_("There is no snapshot %(number)s; see --list.") % {"number": number})
    return found
