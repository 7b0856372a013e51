from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from rich.console import Console

from usage import rollup


class Command(BaseCommand):
    help = "Counts the AI answers that are not counted yet (every minute, by cron). --rebuild counts all of them anew."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rebuild", action="store_true", help="Forget the counts and count every answer.")
        parser.add_argument("--verify", action="store_true", help="Compare the counts with a count of all answers.")

    def handle(self, *, rebuild: bool, verify: bool, **options: Any) -> None:
        with Console(stderr=True).status(_("Counting answers…")):
            state = rollup.rebuild() if rebuild else rollup.refresh(patience=None)
        if state.problem:
            raise CommandError(_("The answers cannot be counted: %(problem)s") % {"problem": state.problem})
        self.stdout.write(_("Changes counted: %(count)s.") % {"count": state.counted})
        if verify:
            with Console(stderr=True).status(_("Counting all answers…")):
                proof = rollup.verify()
            if proof.differences:
                raise CommandError(
                    _("The counts differ from the answers in %(count)s places. Run: manage.py rollup_usage --rebuild")
                    % {"count": proof.differences}
                )
            self.stdout.write(_("The counts equal all %(count)s answers.") % {"count": proof.answers})
