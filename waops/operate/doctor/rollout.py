"""How far the rollout is: flags and their share, calls that fell back, extensions, the last backup."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from waffle.models import Flag, Sample, Switch

from waops.incidents import Incident
from waops.operate.doctor.section import Section
from waops.operate.extensions import create_extension
from waops.operate.figures import Column, Figures, Kind
from waops.operate.findings import Finding, Severity
from waops.operate.models import Backup
from waops.operate.reading import fetch

BACKUP_HOURS = 24
INCIDENT_DAYS = 7
INCIDENTS = 100
"""Rows that are shown."""
FALLBACK_HOURS = 24
"""A fallback is reported until somebody acknowledges it, or none has happened for that long."""

EXTENSIONS = """
    SELECT wanted.name, available.name IS NOT NULL, installed.extversion
    FROM pg_catalog.unnest(ARRAY['pg_stat_statements', 'pg_trgm']) AS wanted (name)
    LEFT JOIN pg_catalog.pg_available_extensions AS available ON available.name = wanted.name
    LEFT JOIN pg_catalog.pg_extension AS installed ON installed.extname = wanted.name
"""


@dataclass(frozen=True)
class FlagState:
    """`share` of the calls that it lets through, between 0 and 1."""

    name: str
    kind: str
    share: float


@dataclass(frozen=True)
class Extension:
    """`version` is None where this database has not got it; `available`: the server could give it."""

    name: str
    available: bool
    version: str | None


FLAG_COLUMNS = (
    Column("name", gettext_lazy("flag"), Kind.NAME),
    Column("kind", gettext_lazy("kind"), Kind.NAME),
    Column("share", gettext_lazy("share of calls"), Kind.PERCENT),
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


def examine_flags(connection: BaseDatabaseWrapper) -> Section:
    """Flags as they are stored, and this process's kill-switch."""
    using = connection.alias
    rows = [
        *(FlagState(flag.name, "flag", _share_of(flag)) for flag in Flag.objects.using(using).order_by("name")),
        *(
            FlagState(switch.name, "switch", float(switch.active))
            for switch in Switch.objects.using(using).order_by("name")
        ),
        *(
            FlagState(sample.name, "sample", float(sample.percent) / 100)
            for sample in Sample.objects.using(using).order_by("name")
        ),
    ]
    note = ""
    if stopped := sorted(settings.MESSAGE_PATH_KILL_SWITCH):
        note = _("MESSAGE_PATH_KILL_SWITCH wins over them and stops: %(names)s") % {"names": ", ".join(stopped)}
    return Section(figures=[Figures("flags", gettext_lazy("Flags"), FLAG_COLUMNS, rows, note)])


def _share_of(flag: Flag) -> float:
    if flag.everyone is None:
        return float(flag.percent or 0) / 100
    return float(flag.everyone)


def examine_incidents(connection: BaseDatabaseWrapper) -> Section:
    now = timezone.now()
    recent = Incident.objects.using(connection.alias).filter(last_at__gte=now - timedelta(days=INCIDENT_DAYS))
    rows = list(recent.order_by("-day", "procedure", "detail")[:INCIDENTS])
    title = gettext_lazy("Calls of the last days that did not go as meant")
    none = gettext_lazy("None: every call went as meant.")
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
                _("fell back to the old path, %(times)s times on the day of the last one") % {"times": times},
                _("The function failed; customers were answered, by several queries instead of one."),
                ("manage.py repair_functions --apply", f"manage.py doctor --acknowledge {procedure}"),
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
                    _("the server has it, this database does not"),
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
        what = _("no backup has been entered")
    else:
        what = _("the last backup is of %(moment)s") % {
            "moment": f"{timezone.localtime(newest.taken_at):%Y-%m-%d %H:%M}"
        }
    why = _("A backup of today is the way back that every step of the plan begins with.")
    fix = 'manage.py backup --record "where it lies"'
    return Section([Finding("backup.old", Severity.WARNING, "backup", what, why, (fix,))])
