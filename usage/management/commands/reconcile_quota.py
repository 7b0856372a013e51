import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _
from rich.console import Console
from rich.table import Table

from usage import rollup
from usage.reconcile import Reconciliation, reconcile


class Command(BaseCommand):
    help = "Compares each business's counter with its recorded answers in the running period. Changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="For programs.")
        parser.add_argument("--all", action="store_true", help="Small differences too.")

    def handle(self, **options: Any) -> None:
        rollup.refresh(patience=None)
        rows = [row for row in reconcile() if options["all"] or not row.is_within_tolerance]
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(row) for row in rows], ensure_ascii=False, indent=2))
            return
        if rows:
            table = Table(_("Business"), _("Counter"), _("Replies"), _("Difference"), _("What it means"))
            for row in rows:
                one = row.business
                table.add_row(one.name, str(one.used), str(one.replies), f"{row.difference:+}", row.explanation)
            Console(file=self.stdout).print(table)  # type: ignore[arg-type]
        self.stdout.write(_("Businesses whose counter and answers differ: %(count)s.") % {"count": len(rows)})


def _as_json(row: Reconciliation) -> dict[str, Any]:
    one = row.business
    return {
        "business": str(one.id),
        "name": one.name,
        "since": one.last_reset.isoformat() if one.last_reset else None,
        "counter": one.used,
        "replies": one.replies,
        "difference": row.difference,
        "explanation": row.explanation,
    }
