"""Run all sections independently, so that one that cannot be read does not hide the others."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.core.checks import CheckMessage
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from waops.database.checks.connection import database_is_usable
from waops.dbops.doctor import functions, hostile_values, indexes, isolation, periodic, rollout, schema, sessions
from waops.dbops.doctor.section import Section
from waops.dbops.figures import Figures
from waops.dbops.findings import Finding, Severity, worst_first
from waops.dbops.plan import MigrationKey, all_migrations, migrations_done
from waops.dbops.reading import bounded

Examination = Callable[[BaseDatabaseWrapper], Section]

ALWAYS: list[Examination] = [
    rollout.examine_extensions,
    sessions.examine,
    hostile_values.examine,
    schema.examine_writes,
    indexes.examine,
    functions.examine,
    periodic.examine,
]
"""Checks for any database, even an empty one. Apps add theirs."""

OUR_TABLES = ("waops", "0001_tables")
"""The migration that creates the tables the others read."""

WITH_READINGS = ("waops", "0002_functions")
"""The migration that creates what adoption is read from."""

WITH_OUR_TABLES: tuple[Examination, ...] = (
    rollout.examine_switches,
    rollout.examine_incidents,
    rollout.examine_backup,
)


@dataclass(frozen=True)
class Diagnosis:
    findings: list[Finding]
    figures: list[Figures]


def diagnose(using: str = DEFAULT_DB_ALIAS) -> Diagnosis:
    """Run every check of the doctor. Never raises because of the database: what cannot be read becomes a finding."""
    connection = connections[using]
    try:
        connection.ensure_connection()
    except DatabaseError:
        return Diagnosis([_unreachable(message) for message in database_is_usable(databases=[using])], [])
    # Outside a transaction, or a pooler could not be distinguished from a server.
    sections = [_guarded(isolation.examine, connection)]
    done = migrations_done(connection)
    sections.append(_guarded(partial(_bounded, schema.examine), connection))
    if not done:
        # Nothing is installed or recorded: one finding replaces one for each missing object.
        if not sections[-1].findings:
            sections.append(_nothing_installed())
        return _diagnosis(sections)
    sections.append(_pending(done))
    examinations = (*WITH_OUR_TABLES, *ALWAYS) if OUR_TABLES in done else ALWAYS
    if WITH_READINGS in done:
        examinations = (rollout.examine_adoption, *examinations)
    sections += [_guarded(partial(_bounded, examine), connection) for examine in examinations]
    return _diagnosis(sections)


def _unreachable(message: CheckMessage) -> Finding:
    return Finding(f"connection.{message.id}", Severity.ERROR, "DATABASE_URL", str(message.msg), str(message.hint))


def _nothing_installed() -> Section:
    what = _("nothing is installed in this database yet")
    why = _("Migrations create this app's indexes, functions and tables.")
    return Section([Finding("migrations.none", Severity.ERROR, "migrate", what, why, ("manage.py migrate",))])


def _diagnosis(sections: list[Section]) -> Diagnosis:
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
        what = _("could not be checked: %(error)s") % {"error": str(error).strip()}
        name = (
            getattr(examine, "args", [examine])[0]
            .__module__.removesuffix(".doctor")
            .removesuffix(".repairs")
            .rpartition(".")[2]
        )
        why = _("It may have a problem.")
        return Section([Finding("doctor.unreadable", Severity.WARNING, name, what, why)])


def _pending(done: frozenset[MigrationKey]) -> Section:
    """Pending migrations, in one finding."""
    missing = sorted(all_migrations() - done)
    if not missing:
        return Section()
    names = ", ".join(".".join(key) for key in missing[:5])
    what = _("pending migrations: %(count)s (%(names)s …)") % {"count": len(missing), "names": names}
    why = _("Part of the plan is not installed in this database.")
    return Section([Finding("migrations.pending", Severity.WARNING, "migrate", what, why, ("manage.py migrate",))])
