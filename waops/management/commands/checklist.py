"""The plan's checklist, and the report of before and after."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from waops.operate.checklist import ITEMS, checklist, tick
from waops.operate.people import shell_user
from waops.operate.report import as_markdown, checklist_figures, report
from waops.operate.terminal import OperationsCommand


class Command(OperationsCommand):
    help = "The plan's checklist: what is proven by measurement is ticked by itself, the rest by a person with a note."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        keys = [item.key for item in ITEMS if not item.is_measured]
        parser.add_argument("--tick", choices=keys, help="Tick this item.")
        parser.add_argument("--untick", choices=keys, help="Take the tick back.")
        parser.add_argument("--note", default="", help="What was done, and where it is written down.")
        parser.add_argument("--by", default="", help="Your name (the shell's account).")
        parser.add_argument(
            "--report", type=Path, metavar="FILE", help="Write the report of before and after, Markdown."
        )

    def run(self, *args: Any, **options: Any) -> bool:
        key = options["tick"] or options["untick"]
        if key:
            name = options["by"] or shell_user()
            try:
                tick(key, done=bool(options["tick"]), note=options["note"], by=None, by_name=name)
            except ValueError as error:
                raise CommandError(f"{error} (--note)") from error
        if file := options["report"]:
            try:
                file.write_text(as_markdown(report()), encoding="utf-8")
            except OSError as error:
                raise CommandError(str(error)) from error
            self.stdout.write(_("Written: %(file)s") % {"file": file})
            return False
        states = checklist()
        self.show(figures=[checklist_figures(states)])
        return not all(state.done for state in states)
