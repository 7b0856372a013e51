"""Say what is wrong with the plan in this database, and what fixes it."""

from typing import Any

from waops.operate.doctor import diagnose
from waops.operate.terminal import OperationsCommand


class Command(OperationsCommand):
    help = (
        "The state of the plan in this database: indexes, functions, flags, data, backups; each finding with its fix."
    )

    def run(self, **options: Any) -> bool:
        diagnosis = diagnose()
        return self.show(findings=diagnosis.findings, figures=diagnosis.figures)
