import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _
from rich.table import Table

from usage import rollup
from usage.reconcile import Reconciliation, reconcile, reconcile_ended
from waops.serving.terminal import Terminal


class Command(BaseCommand):
    help = "Compares each business's counter with its recorded replies, period by period. Changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print JSON for machines.")
        parser.add_argument(
            "--ended", action="store_true", help="Show recently ended periods instead of the current one."
        )
        parser.add_argument("--all", action="store_true", help="Include small differences.")

    def handle(self, **options: Any) -> None:
        rollup.refresh(patience=None)
        differing = reconcile_ended() if options["ended"] else reconcile()
        rows = [row for row in differing if options["all"] or not row.is_within_tolerance]
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(row) for row in rows], ensure_ascii=False, indent=2))
            return
        if rows:
            table = Table(_("Business"), _("From"), _("Counter"), _("Replies"), _("Difference"), _("What it means"))
            for row in rows:
                start = f"{row.start:%Y-%m-%d %H:%M}" if row.start else "—"
                numbers = (str(row.counter), str(row.replies), f"{row.difference:+}")
                table.add_row(row.business.name, start, *numbers, row.explanation)
            Terminal(self.stdout).print(table)
        self.stdout.write(_("Periods whose counter and replies differ: %(count)s.") % {"count": len(rows)})


def _as_json(row: Reconciliation) -> dict[str, Any]:
    return {
        "business": str(row.business.id),
        "name": row.business.name,
        "since": row.start.isoformat() if row.start else None,
        "until": row.end.isoformat() if row.end else None,
        "counter": row.counter,
        "replies": row.replies,
        "difference": row.difference,
        "explanation": row.explanation,
    }
