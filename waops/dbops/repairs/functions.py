"""Reinstall our functions that were dropped, replaced or duplicated, from their migration's file."""

from django.db.backends.base.base import BaseDatabaseWrapper

from waops.dbops.doctor import functions
from waops.dbops.plan import PlannedFunction, plan

CURABLE = {"function.missing", "function.changed", "function.overloaded", "function.open", "function.closed"}


def damaged_functions(connection: BaseDatabaseWrapper) -> list[tuple[PlannedFunction, str]]:
    """Damaged functions whose migration has run, each with what is wrong with it."""
    found: dict[str, str] = {}
    for finding in functions.examine(connection).findings:
        if finding.code in CURABLE and not any(line.startswith("manage.py migrate") for line in finding.fix):
            found.setdefault(finding.subject, finding.what)
    return [(function, found[function.name]) for function in plan().functions if function.name in found]


def reinstall(connection: BaseDatabaseWrapper, function: PlannedFunction) -> None:
    """Install as the migration does. The record of what was there originally is kept, so that reversing
    still works.

    Raises waops.schema.errors.MigrationStopped.
    """
    with connection.schema_editor(atomic=False) as editor:
        function.operation.database_forwards(function.migration[0], editor, None, None)
