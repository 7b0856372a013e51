"""The command of a repair of objects, not rows: say what is damaged, and with `--apply` repair it one by one."""

from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rich.console import Console
from rich.progress import track

from waops.operate.figures import Column, Figures, Kind
from waops.operate.terminal import OperationsCommand
from waops.operations.errors import MigrationStopped

Damaged = TypeVar("Damaged")


@dataclass(frozen=True)
class Damage(Generic[Damaged]):
    """`thing` is what the repair takes."""

    name: str
    what: str
    thing: Damaged


COLUMNS = (Column("name", gettext_lazy("object"), Kind.NAME), Column("what", gettext_lazy("what is wrong")))


class RepairObjectsCommand(OperationsCommand, Generic[Damaged]):
    """Exit code 1 where something is damaged and was only looked at."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--apply", action="store_true", help="Do it. Without this, only say what would be done.")

    def find(self) -> Sequence[Damage[Damaged]]:
        raise NotImplementedError

    def repair(self, thing: Damaged) -> None:
        raise NotImplementedError

    def run(self, *, apply: bool, **options: Any) -> bool:
        damages = self.find()
        self.show(figures=[Figures("damaged", gettext_lazy("Damaged"), COLUMNS, damages)])
        if not apply:
            return bool(damages)
        try:
            for damage in track(
                damages, description="", disable=self.as_json, console=Console(stderr=True), transient=True
            ):
                self.repair(damage.thing)
        except MigrationStopped as error:
            raise CommandError(str(error)) from error
        if not self.as_json:
            self.stdout.write(_("Repaired: %(count)s.") % {"count": len(damages)})
        return False
