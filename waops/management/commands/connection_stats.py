"""Connections by state and application, and who waits for whom."""

from typing import Any

from django.db import connection

from waops.operate.connections import report_connections
from waops.operate.findings import worst_first
from waops.operate.reading import bounded
from waops.operate.terminal import OperationsCommand


class Command(OperationsCommand):
    help = (
        "Connections by role, application and state against the limit, and chains of sessions that wait for each other."
    )

    def run(self, *args: Any, **options: Any) -> bool:
        with bounded(connection):
            report = report_connections(connection)
        return self.show(findings=worst_first(report.findings), figures=report.figures)
