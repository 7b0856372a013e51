"""Functions of ours that somebody dropped, replaced or doubled, installed again from their migration's file."""

from django.db.backends.base.base import BaseDatabaseWrapper

from waops.operate.doctor import functions
from waops.operate.plan import PlannedFunction, plan

CURABLE = {"function.missing", "function.changed", "function.overloaded", "function.open", "function.closed"}


def damaged_functions(connection: BaseDatabaseWrapper) -> list[tuple[PlannedFunction, str]]:
    """Those whose migration has run, each with what is wrong with it."""
    found: dict[str, str] = {}
    for finding in functions.examine(connection).findings:
        if finding.code in CURABLE and not any(line.startswith("manage.py migrate") for line in finding.fix):
            found.setdefault(finding.subject, finding.what)
    return [(function, found[function.name]) for function in plan().functions if function.name in found]


def reinstall(connection: BaseDatabaseWrapper, function: PlannedFunction) -> None:
    """As its migration does. What stood there before the first time stays on record, so that reversing still works.

    Raises waops.operations.errors.MigrationStopped.
    """
    with connection.schema_editor(atomic=False) as editor:
        function.operation.database_forwards(function.migration[0], editor, None, None)
