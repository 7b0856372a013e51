"""The costliest statements of this database."""

from argparse import ArgumentParser
from typing import Any

from django.db import connection

from waops.operate.figures import moment
from waops.operate.reading import bounded
from waops.operate.statements import LIMIT, ORDERS, Order, read_statements, statement_figures
from waops.operate.terminal import OperationsCommand


class Command(OperationsCommand):
    help = "The statements that cost most, from pg_stat_statements; where it is not available, why and what enables it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--ours", action="store_true", help="Only those on the service's and this app's tables.")
        parser.add_argument("--order", choices=ORDERS, default="total", help="What to rank by (total).")
        parser.add_argument("--limit", type=int, default=20, help=f"How many, at most {LIMIT} (20).")

    def run(self, *, ours: bool, order: Order, limit: int, **options: Any) -> bool:
        with bounded(connection):
            statements = read_statements(connection, ours_only=ours, order=order, limit=max(1, min(limit, LIMIT)))
            figures = statement_figures(statements, connection)
        self.show(figures=[figures])
        if statements.since and not self.as_json:
            self.stdout.write(moment(statements.since))
        return bool(statements.unavailable)
