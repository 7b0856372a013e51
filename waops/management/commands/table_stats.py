"""Tables: size, dead rows, upkeep."""

from argparse import ArgumentParser
from typing import Any

from django.db import connection

from waops.operate.findings import worst_first
from waops.operate.reading import bounded
from waops.operate.tables import report_tables, service_tables
from waops.operate.terminal import OperationsCommand


class Command(OperationsCommand):
    help = "The service's tables: rows, sizes, dead rows, share read from memory and by index, last vacuum and analyze."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--all", action="store_true", help="All tables of this database.")

    def run(self, *args: Any, **options: Any) -> bool:
        with bounded(connection):
            report = report_tables(connection, None if options["all"] else service_tables())
        return self.show(findings=worst_first(report.findings), figures=[report.figures])
