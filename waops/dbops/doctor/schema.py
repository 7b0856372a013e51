"""Check that our schema is as the migrations left it, and that the functions' writes work."""

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from waops.dbops.damage import find_damage
from waops.dbops.doctor.section import Section
from waops.dbops.findings import Finding, Severity
from waops.schema.preflight import failing_writes


def examine(connection: BaseDatabaseWrapper) -> Section:
    return Section([damage.finding() for damage in find_damage(connection)])


def examine_writes(connection: BaseDatabaseWrapper) -> Section:
    """Each write is tried and rolled back."""
    why = _("Every call of a function that does this fails.")
    fix = "ALTER FUNCTION name_of_the_failing_function SET search_path = public;"
    return Section(
        [
            Finding(
                "writes.fail",
                Severity.ERROR,
                trial.table,
                _("%(verb)s fails: %(error)s") % {"verb": trial.verb, "error": error},
                why,
                (fix,),
            )
            for trial, error in failing_writes(connection)
        ]
    )
