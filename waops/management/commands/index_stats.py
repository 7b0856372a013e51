"""Indexes: use, size, and which could go."""

from argparse import ArgumentParser
from typing import Any

from django.db import connection

from waops.operate.findings import worst_first
from waops.operate.indexes import report_indexes
from waops.operate.reading import bounded
from waops.operate.tables import service_tables
from waops.operate.terminal import OperationsCommand


class Command(OperationsCommand):
    help = "Indexes of the service's tables: use, size, air, and which are invalid, duplicate, overlapping or unused."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--all", action="store_true", help="Of all tables of this database.")

    def run(self, *args: Any, **options: Any) -> bool:
        with bounded(connection):
            report = report_indexes(connection, None if options["all"] else service_tables())
        return self.show(findings=worst_first(report.findings), figures=[report.figures])
