"""Show the state of the rollout: percentages, adoption, fallbacks, extensions, backup."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from waffle.models import Sample

from waops.database.fetch import fetch
from waops.database.incidents import Incident
from waops.dbops.doctor.section import Section
from waops.dbops.extensions import create_extension
from waops.dbops.figures import Column, Figures, Kind
from waops.dbops.findings import Finding, Severity
from waops.dbops.models import Backup
from waops.dbops.rollout import adoption_figures

BACKUP_HOURS = 24
INCIDENT_DAYS = 7
INCIDENTS = 100
"""Most rows shown."""
FALLBACK_HOURS = 24
"""A fallback is reported until someone acknowledges it, or until none has occurred for this many hours."""

EXTENSIONS = """
    SELECT wanted.name, available.name IS NOT NULL, installed.extversion
    FROM pg_catalog.unnest(ARRAY['pg_stat_statements', 'pg_trgm']) AS wanted (name)
    LEFT JOIN pg_catalog.pg_available_extensions AS available ON available.name = wanted.name
    LEFT JOIN pg_catalog.pg_extension AS installed ON installed.extname = wanted.name
"""


@dataclass(frozen=True)
class Switch:
    """A function's rollout: `percent`, between 0 and 1, of its calls use it."""

    name: str
    percent: float


@dataclass(frozen=True)
class Extension:
    """An extension. `version` is None if this database lacks it; `available`: the server could install it."""

    name: str
    available: bool
    version: str | None


SWITCH_COLUMNS = (
    Column("name", gettext_lazy("function"), Kind.NAME),
    Column("percent", gettext_lazy("rollout percentage"), Kind.PERCENT),
)
INCIDENT_COLUMNS = (
    Column("day", gettext_lazy("day")),
    Column("procedure", gettext_lazy("function"), Kind.NAME),
    Column("kind", gettext_lazy("kind")),
    Column("detail", gettext_lazy("detail"), Kind.NAME),
    Column("occurrences", gettext_lazy("times"), Kind.COUNT),
)
EXTENSION_COLUMNS = (
    Column("name", gettext_lazy("extension"), Kind.NAME),
    Column("available", gettext_lazy("available"), Kind.FLAG),
    Column("version", gettext_lazy("installed version"), Kind.NAME),
)


def examine_switches(connection: BaseDatabaseWrapper) -> Section:
    """Rollout percentages as callers get them, and this process's kill switch."""
    rows = [
        Switch(sample.name, float(sample.percent) / 100)
        for sample in Sample.objects.using(connection.alias).order_by("name")
    ]
    note = _("Callers follow them if they use function_switches; the next table shows what actually happened.")
    if stopped := sorted(settings.MESSAGE_PATH_KILL_SWITCH):
        note += " " + _("MESSAGE_PATH_KILL_SWITCH overrides them in this app and turns off: %(names)s") % {
            "names": ", ".join(stopped)
        }
    return Section(figures=[Figures("switches", gettext_lazy("Rollout percentages"), SWITCH_COLUMNS, rows, note)])


def examine_adoption(connection: BaseDatabaseWrapper) -> Section:
    return Section(figures=[adoption_figures(connection.alias)])


def examine_incidents(connection: BaseDatabaseWrapper) -> Section:
    now = timezone.now()
    recent = Incident.objects.using(connection.alias).filter(last_at__gte=now - timedelta(days=INCIDENT_DAYS))
    rows = list(recent.order_by("-day", "procedure", "detail")[:INCIDENTS])
    title = gettext_lazy("Recent calls that did not go as expected")
    none = gettext_lazy("None: every call went as expected.")
    section = Section(figures=[Figures("incidents", title, INCIDENT_COLUMNS, rows, empty=none)])
    fallbacks: dict[str, int] = {}
    for row in rows:
        is_seen = row.acknowledged_at is not None and row.last_at <= row.acknowledged_at
        is_fresh = row.last_at >= now - timedelta(hours=FALLBACK_HOURS)
        if row.kind == Incident.Kind.FALLBACK and is_fresh and not is_seen:
            fallbacks[row.procedure] = fallbacks.get(row.procedure, 0) + row.occurrences
    for procedure, times in sorted(fallbacks.items()):
        section.findings.append(
            Finding(
                "rollout.fallback",
                Severity.WARNING,
                procedure,
                _("fell back to the legacy path %(times)s times on the last day it happened") % {"times": times},
                _("The function failed; customers were still answered, with several queries instead of one."),
                ("manage.py repair functions --apply", f"manage.py doctor --acknowledge {procedure}"),
            )
        )
    return section


def examine_extensions(connection: BaseDatabaseWrapper) -> Section:
    rows = fetch(connection, Extension, EXTENSIONS)
    section = Section(figures=[Figures("extensions", gettext_lazy("Extensions"), EXTENSION_COLUMNS, rows)])
    for extension in rows:
        if extension.available and extension.version is None:
            section.findings.append(
                Finding(
                    "extension.missing",
                    Severity.NOTE,
                    extension.name,
                    _("available on the server but not installed in this database"),
                    _("Slow queries are not shown, or searches are slower."),
                    (create_extension(connection, extension.name),),
                )
            )
    return section


def examine_backup(connection: BaseDatabaseWrapper) -> Section:
    newest = Backup.objects.using(connection.alias).first()
    if newest is not None and newest.taken_at > timezone.now() - timedelta(hours=BACKUP_HOURS):
        return Section()
    if newest is None:
        what = _("no backup has been recorded")
    else:
        what = _("the last backup is from %(moment)s") % {
            "moment": f"{timezone.localtime(newest.taken_at):%Y-%m-%d %H:%M}"
        }
    why = _("Back up before each step so that you can roll back.")
    fix = 'manage.py backup --record "where it is stored"'
    return Section([Finding("backup.old", Severity.WARNING, _("backup"), what, why, (fix,))])
