"""All sections, each on its own: what one cannot read does not hide what the others found."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import gettext as _

from waops.operate.doctor import data, functions, indexes, isolation, rollout, sessions
from waops.operate.doctor.section import Section
from waops.operate.figures import Figures
from waops.operate.findings import Finding, Severity, worst_first
from waops.operate.plan import MigrationKey, applied
from waops.operate.reading import bounded

Examination = Callable[[BaseDatabaseWrapper], Section]

ALWAYS: tuple[Examination, ...] = (
    rollout.examine_extensions,
    sessions.examine,
    data.examine,
    indexes.examine,
    functions.examine,
)
"""What can be asked of any database, also of an empty one."""

OUR_TABLES = ("waops", "0004_operations")
"""The migration that makes the tables which the others read."""

WITH_OUR_TABLES: tuple[Examination, ...] = (
    rollout.examine_flags,
    rollout.examine_incidents,
    rollout.examine_backup,
)


@dataclass(frozen=True)
class Diagnosis:
    findings: list[Finding]
    figures: list[Figures]


def diagnose(using: str = DEFAULT_DB_ALIAS) -> Diagnosis:
    """Everything the doctor looks at. Never raises because of the database: what cannot be read is a finding."""
    connection = connections[using]
    # Outside a transaction, or a pooler could not be told from a server.
    sections = [_guarded(isolation.examine, connection)]
    done = _applied(connection)
    sections.append(_pending(done))
    examinations = (*WITH_OUR_TABLES, *ALWAYS) if OUR_TABLES in done else ALWAYS
    sections += [_guarded(partial(_bounded, examine), connection) for examine in examinations]
    return Diagnosis(
        worst_first(finding for section in sections for finding in section.findings),
        [figures for section in sections for figures in section.figures],
    )


def _bounded(examine: Examination, connection: BaseDatabaseWrapper) -> Section:
    with bounded(connection):
        return examine(connection)


def _guarded(examine: Examination, connection: BaseDatabaseWrapper) -> Section:
    try:
        return examine(connection)
    except DatabaseError as error:
        what = _("could not be looked at: %(error)s") % {"error": str(error).strip()}
        name = getattr(examine, "args", [examine])[0].__module__.rpartition(".")[2]
        why = _("Something may be wrong there.")
        return Section([Finding("doctor.unreadable", Severity.WARNING, name, what, why)])


def _applied(connection: BaseDatabaseWrapper) -> set[MigrationKey]:
    try:
        return applied(connection)
    except DatabaseError:
        return set()


def _pending(done: set[MigrationKey]) -> Section:
    """Migrations that this database has not had yet, one finding for all."""
    missing = sorted(set(MigrationLoader(None, ignore_no_migrations=True).disk_migrations) - done)
    if not missing:
        return Section()
    names = ", ".join(".".join(key) for key in missing[:5])
    what = _("migrations not run yet: %(count)s (%(names)s …)") % {"count": len(missing), "names": names}
    why = _("Part of the plan is not in this database.")
    return Section([Finding("migrations.pending", Severity.WARNING, "migrate", what, why, ("manage.py migrate",))])
