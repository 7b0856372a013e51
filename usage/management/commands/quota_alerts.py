from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from usage import alerts, rollup


class Command(BaseCommand):
    help = "Records the alerts that are due and sends their messages (every few minutes, by cron). Repeatable."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--record-only", action="store_true", help="Send nothing.")

    def handle(self, *, record_only: bool, **options: Any) -> None:
        rollup.refresh(patience=None)
        raised = alerts.raise_alerts()
        self.stdout.write(_("New alerts: %(count)s.") % {"count": len(raised)})
        if record_only:
            return
        outcomes = alerts.deliver()
        self.stdout.write(
            _("Messages sent: %(sent)s, to be tried again: %(waiting)s, given up: %(given_up)s.")
            % {"sent": outcomes["sent"], "waiting": outcomes["waiting"], "given_up": outcomes["given_up"]}
        )
