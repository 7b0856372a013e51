from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _
from rich.table import Table

from usage import resets
from waops.serving.terminal import Terminal


class Command(BaseCommand):
    help = (
        "Lists the counters whose reset is due. With --apply, records their values and resets them; safe to repeat. "
        "Skips counters that the deployed job has reset within 30 days: see docs/quota-reset.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--apply", action="store_true", help="Reset them. Without this, nothing is changed.")

    def handle(self, *, apply: bool, **options: Any) -> None:
        if apply:
            done = [reset for batch in resets.reset_due() for reset in batch]
            self._list(done)
            self.stdout.write(_("Counters reset: %(count)s.") % {"count": len(done)})
        else:
            due = resets.due_resets()
            self._list(due)
            self.stdout.write(
                _("Counters due for a reset: %(count)s. Nothing was changed; add --apply to reset them.")
                % {"count": len(due)}
            )

    def _list(self, rows: list[resets.Reset]) -> None:
        if not rows:
            return
        table = Table(_("Business"), _("Used"), _("Last reset"))
        for row in rows:
            table.add_row(
                str(row.business), str(row.used), f"{row.last_reset:%Y-%m-%d %H:%M}" if row.last_reset else "—"
            )
        Terminal(self.stdout).print(table)
