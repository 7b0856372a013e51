"""The subcommands of `manage.py repair`: report what is wrong, and with `--apply` repair it. Apps add theirs
to REPAIRS.
"""

import json
from abc import abstractmethod
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Any, Generic, TypeVar

from django.core.management.base import CommandError
from django.db import OperationalError, ProgrammingError, connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rich.table import Column as TableColumn
from rich.table import Table

from waops.database.errors import sqlstate
from waops.dbops.figures import Column, Figures, Kind
from waops.dbops.plan import PlannedFunction
from waops.dbops.repairs.base import Repair, Report
from waops.dbops.repairs.damaged import everything_damaged
from waops.dbops.repairs.functions import damaged_functions, reinstall
from waops.dbops.repairs.indexes import InvalidIndex, invalid_indexes, repair_index
from waops.dbops.repairs.schema import repair_schema
from waops.dbops.terminal import OperationsCommand, Subcommand
from waops.schema.errors import MigrationStopped
from waops.schema.rest import reload_rest_schema
from waops.schema.turn import migration_turn
from waops.serving.terminal import plain, progress_bar

PATIENCE = 1.0
"""Seconds without a progress bar."""
UNDEFINED_TABLE = "42P01"

Damaged = TypeVar("Damaged")


@dataclass(frozen=True)
class Damage(Generic[Damaged]):
    """One damaged object. `thing` is what the repair accepts."""

    name: str
    what: str
    thing: Damaged


COLUMNS = (Column("name", gettext_lazy("object"), Kind.NAME), Column("what", gettext_lazy("what is wrong")))


class RepairWord(Subcommand):
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--apply", action="store_true", help="Repair it. Without this, only report what would be done."
        )


class ObjectsWord(RepairWord, Generic[Damaged]):
    """Repairs objects one by one. Exits with 1 if something is damaged and `--apply` was not given."""

    @abstractmethod
    def find(self) -> Sequence[Damage[Damaged]]: ...

    @abstractmethod
    def repair(self, thing: Damaged) -> None: ...

    def run(self, command: OperationsCommand, *, apply: bool, **options: Any) -> bool:
        damages = self.find()
        command.show(figures=[Figures("damaged", gettext_lazy("Damaged objects"), COLUMNS, damages)])
        if not apply:
            return bool(damages)
        try:
            with progress_bar(disable=command.as_json) as bar:
                for damage in bar.track(damages, description=""):
                    self.repair(damage.thing)
        except MigrationStopped as error:
            raise CommandError(plain(error)) from error
        if not command.as_json:
            command.stdout.write(_("Repaired: %(count)s.") % {"count": len(damages)})
        return False


class Functions(ObjectsWord[PlannedFunction]):
    name = "functions"
    help = "Database functions of ours that were dropped or replaced; --apply installs them again."

    def find(self) -> list[Damage[PlannedFunction]]:
        return [Damage(function.name, what, function) for function, what in damaged_functions(connection)]

    def repair(self, thing: PlannedFunction) -> None:
        reinstall(connection, thing)


class InvalidIndexes(ObjectsWord[InvalidIndex]):
    name = "invalid_indexes"
    help = "Indexes that an interrupted build left invalid; --apply rebuilds or drops them."

    def find(self) -> list[Damage[InvalidIndex]]:
        return [Damage(index.name, _("invalid"), index) for index in invalid_indexes(connection)]

    def repair(self, thing: InvalidIndex) -> None:
        repair_index(connection, thing)


class Schema(RepairWord):
    name = "schema"
    help = (
        "Missing or changed objects of this app: schema, tables, functions, triggers, grants. --apply rebuilds them, "
        "recomputes counts and names what is lost."
    )

    def run(self, command: OperationsCommand, *, apply: bool, **options: Any) -> bool:
        if not apply:
            found = everything_damaged(connection)
            rows = [Damage(one.subject, one.what, one) for one in found]
            damaged = [{"object": one.subject, "what": one.what, "sql": one.fix} for one in found]
            figures = Figures(
                "damaged", gettext_lazy("Damaged objects"), COLUMNS, rows, empty=gettext_lazy("Nothing is damaged.")
            )
            command.show(figures=[figures], data={"damaged": damaged})
            return bool(found)
        try:
            with migration_turn(connection):
                outcome = repair_schema(connection)
            reload_rest_schema(connection)
        except MigrationStopped as error:
            raise CommandError(str(error)) from error
        left = [f"{one.subject}: {one.what}" for one in everything_damaged(connection)]
        if command.as_json:
            data = {"repaired": outcome.repaired, "lost": outcome.lost, "failed": outcome.failed, "left": left}
            command.show(data=data)
            return bool(left)
        for line in outcome.repaired:
            command.stdout.write(_("Repaired: %(what)s") % {"what": line})
        for line in outcome.lost:
            command.stdout.write(_("Note: %(what)s") % {"what": line})
        for line in dict.fromkeys((*outcome.failed, *left)):
            command.stderr.write(_("Not repaired: %(what)s") % {"what": line})
        if not (outcome.repaired or left):
            command.stdout.write(_("Nothing is damaged."))
        return bool(left)


class RowsWord(RepairWord):
    """Runs a Repair of rows and prints its report."""

    def __init__(self, kind: type[Repair]) -> None:
        self.kind, self.name, self.help = kind, kind.name, kind.help

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        self.kind.add_arguments(parser)

    def run(self, command: OperationsCommand, *, apply: bool, verbosity: int, **options: Any) -> bool:
        repair = self.kind.from_options(**options)
        try:
            report = self._repair(repair, apply, quiet=command.as_json or verbosity == 0)
        except ProgrammingError as error:
            if sqlstate(error) != UNDEFINED_TABLE:
                raise
            raise CommandError(
                _("A table that the repair needs does not exist yet: %(error)s Run manage.py migrate first.")
                % {"error": plain(error).strip()}
            ) from error
        except (MigrationStopped, OperationalError) as error:
            raise CommandError(
                _("%(error)s Repairs made so far are kept: run it again.") % {"error": plain(error).strip()}
            ) from error
        if command.as_json:
            command.stdout.write(json.dumps(asdict(report), ensure_ascii=False))
        elif verbosity:
            self._print(command, repair, report)
        return False

    def _repair(self, repair: Repair, apply: bool, *, quiet: bool) -> Report:
        begin = monotonic()
        with progress_bar(disable=quiet) as bar:
            task = bar.add_task(self.name, total=None, visible=False)

            def progress(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total, visible=monotonic() - begin > PATIENCE)

            return repair.run(connection, apply=apply, progress=progress)

    def _print(self, command: OperationsCommand, repair: Repair, report: Report) -> None:
        if report.groups:
            command.console.print(_examples(repair, report))
            command.stdout.write(repair.summary(report))
        else:
            command.stdout.write(_("Nothing to repair in %(table)s.") % {"table": report.table})
        if report.left_alone:
            for group in report.left_alone:
                command.stdout.write(plain(", ".join(group.key)))
                for row, text in zip((group.kept, *group.others), group.texts, strict=True):
                    command.stdout.write(plain(f"  {row}  {text}"))
            command.stdout.write(repair.advice(report))


def _examples(repair: Repair, report: Report) -> Table:
    # Folded, not cut, because the full ids are needed.
    headings = (*repair.key, _("kept"), str(repair.outcome))
    table = Table(*(TableColumn(heading, overflow="fold") for heading in headings), title=_("Examples"))
    for group in report.examples:
        table.add_row(*group.key, group.kept, "\n".join(group.others))
    return table


REPAIRS: list[Subcommand] = [Schema(), Functions(), InvalidIndexes()]
"""Apps add theirs in `AppConfig.ready`."""
