"""Record the database before and after each step of the plan, compare, and follow the checklist."""

from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from waops.dbops.checklist import ITEMS, checklist, tick
from waops.dbops.comparison import compare
from waops.dbops.explain import RUNS, SECONDS, ExplainError, record
from waops.dbops.explain_comparison import compare_baselines
from waops.dbops.figures import Column, Figures, Kind
from waops.dbops.models import ExplainBaseline
from waops.dbops.models import Snapshot as KeptSnapshot
from waops.dbops.people import shell_user
from waops.dbops.report import as_markdown, checklist_figures, report
from waops.dbops.snapshots import KEEP_DAYS, prune, take_snapshot
from waops.dbops.terminal import CommandGroup, OperationsCommand, Subcommand
from waops.serving.terminal import plain, progress_bar

SHOWN = 50
SNAPSHOT_COLUMNS = (
    Column("pk", gettext_lazy("number"), Kind.NAME),
    Column("taken_at", gettext_lazy("taken at"), Kind.TIME),
    Column("commit_ms", gettext_lazy("one commit, ms"), Kind.MILLISECONDS),
    Column("note", gettext_lazy("note")),
)
BASELINE_COLUMNS = (
    Column("name", gettext_lazy("name")),
    Column("recorded_at", gettext_lazy("recorded at"), Kind.TIME),
    Column("server_version", gettext_lazy("server version"), Kind.NAME),
)


@dataclass(frozen=True)
class ListedSnapshot:
    pk: int
    taken_at: datetime
    commit_ms: float | None
    note: str


@dataclass(frozen=True)
class ListedBaseline:
    name: str
    recorded_at: datetime
    server_version: int


class Snapshot(Subcommand):
    name = "snapshot"
    help = "Records slow queries, tables, indexes, write-ahead log and commits; periodic does this every hour."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--note", default="", help="What it is for; a snapshot with a note is kept permanently.")
        parser.add_argument("--keep", type=int, default=KEEP_DAYS, help=f"Days to keep other snapshots ({KEEP_DAYS}).")
        parser.add_argument("--list", action="store_true", help=f"List the newest {SHOWN} instead of taking one.")

    def run(self, command: OperationsCommand, *, note: str, keep: int, **options: Any) -> bool:
        if options["list"]:
            kept = KeptSnapshot.objects.values_list("pk", "taken_at", "commit_ms", "note")[:SHOWN]
            rows = [ListedSnapshot(*row) for row in kept]
            command.show(figures=[Figures("snapshots", gettext_lazy("Snapshots"), SNAPSHOT_COLUMNS, rows)])
            return False
        taken = take_snapshot(note)
        prune(keep)
        command.show(figures=[Figures("snapshot", gettext_lazy("Snapshot"), SNAPSHOT_COLUMNS, [taken])])
        return False


class Explain(Subcommand):
    name = "explain"
    help = "Runs the hot statements under EXPLAIN ANALYZE (writes are rolled back) and records the plans under a name."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "name", nargs="?", help="For example before, or after-indexes. Without it, lists the records."
        )
        parser.add_argument("--runs", type=int, default=RUNS, help=f"Runs of each statement ({RUNS}).")
        parser.add_argument("--timeout", type=float, default=SECONDS, help=f"Seconds for one run ({SECONDS:g}).")

    def run(self, command: OperationsCommand, *, name: str | None, runs: int, timeout: float, **options: Any) -> bool:
        if name is None:
            kept = ExplainBaseline.objects.values_list("name", "recorded_at", "server_version")[:SHOWN]
            rows = [ListedBaseline(*row) for row in kept]
            command.show(figures=[Figures("baselines", gettext_lazy("EXPLAIN baselines"), BASELINE_COLUMNS, rows)])
            return False
        with progress_bar(disable=command.as_json) as bar:
            task = bar.add_task(_("Statements"))
            try:
                baseline = record(
                    name,
                    runs=runs,
                    seconds=timeout,
                    progress=lambda done, total: bar.update(task, completed=done, total=total),
                )
            except ExplainError as error:
                raise CommandError(str(error)) from error
        if command.as_json:
            command.show(data=baseline.plans)
        else:
            values = {"name": plain(name), "count": len(baseline.plans["statements"])}
            command.stdout.write(_("Recorded “%(name)s”: %(count)s statements.") % values)
        return False


class Compare(Subcommand):
    name = "compare"
    help = "Compares two records: snapshots by number or note, EXPLAIN baselines by name."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("before", help="Number or note of a snapshot, or name of an EXPLAIN baseline.")
        parser.add_argument("after", help="The same, for the later record.")

    def run(self, command: OperationsCommand, *, before: str, after: str, **options: Any) -> bool:
        figures = list(_comparisons(before, after))
        if not figures:
            raise CommandError(
                _(
                    "There are no snapshots or EXPLAIN baselines named “%(before)s” and “%(after)s”; see manage.py "
                    "rollout snapshot --list and manage.py rollout explain."
                )
                % {"before": before, "after": after}
            )
        command.show(figures=figures)
        return False


def _comparisons(before: str, after: str) -> Iterator[Figures]:
    baselines = [ExplainBaseline.objects.filter(name=name).first() for name in (before, after)]
    if baselines[0] and baselines[1]:
        yield compare_baselines(baselines[0], baselines[1])
    snapshots = [_snapshot(word) for word in (before, after)]
    if snapshots[0] and snapshots[1]:
        yield from compare(snapshots[0], snapshots[1])


def _snapshot(word: str) -> KeptSnapshot | None:
    """The newest snapshot with that note, or the one with that number."""
    by_note = KeptSnapshot.objects.filter(note=word).first() if word else None
    return by_note or (KeptSnapshot.objects.filter(pk=word).first() if word.isdecimal() else None)


class Checklist(Subcommand):
    name = "checklist"
    help = "Shows the plan's checklist. Measurable steps tick themselves; tick the rest with a note."

    def add_arguments(self, parser: ArgumentParser) -> None:
        keys = [item.key for item in ITEMS if not item.is_measured]
        parser.add_argument("--tick", choices=keys, help="Tick this item.")
        parser.add_argument("--untick", choices=keys, help="Undo its tick.")
        parser.add_argument("--note", default="", help="What was done, and where it is documented.")
        parser.add_argument("--by", default="", help="Your name (default: the shell's account).")

    def run(self, command: OperationsCommand, **options: Any) -> bool:
        if key := options["tick"] or options["untick"]:
            name = options["by"] or shell_user()
            try:
                tick(key, done=bool(options["tick"]), note=options["note"], by=None, by_name=name)
            except ValueError as error:
                raise CommandError(f"{error} (--note)") from error
        states = checklist()
        command.show(figures=[checklist_figures(states)])
        return not all(state.done for state in states)


class Report(Subcommand):
    name = "report"
    help = "Prints the before-and-after report in Markdown."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="Write it here instead of printing it.")

    def run(self, command: OperationsCommand, *, file: Path | None, **options: Any) -> bool:
        sections = report()
        if file is not None:
            try:
                file.write_text(as_markdown(sections), encoding="utf-8")
            except OSError as error:
                raise CommandError(str(error)) from error
            command.stdout.write(_("Written: %(file)s") % {"file": file})
        elif command.as_json:
            command.show(figures=sections)
        else:
            command.stdout.write(plain(as_markdown(sections)))
        return False


class Command(CommandGroup):
    help = "Records the database before and after each step of the plan, compares the records, and shows the checklist."

    def subcommands(self) -> list[Subcommand]:
        return [Snapshot(), Explain(), Compare(), Checklist(), Report()]
