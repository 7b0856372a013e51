"""Check that cron runs `manage.py periodic` and every part succeeds."""

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone
from django.utils.translation import gettext as _

from waops.dbops.doctor.section import Section
from waops.dbops.figures import moment
from waops.dbops.findings import Finding, Severity
from waops.dbops.models import PeriodicRun
from waops.dbops.periodic import GRACE, last_runs, parts, periodic_figures
from waops.dbops.reading import exist

CRON = "* * * * *  manage.py periodic"


def examine(connection: BaseDatabaseWrapper) -> Section:
    if not exist(connection, f"{settings.APP_SCHEMA}.{PeriodicRun._meta.db_table}"):
        return Section()
    runs, now = last_runs(connection.alias), timezone.now()
    section = Section(figures=[periodic_figures(connection.alias)])
    newest = max((run.started_at for run in runs.values()), default=None)
    if newest is None or now - newest > GRACE:
        what = (
            _("has not run since %(moment)s") % {"moment": moment(newest)} if newest is not None else _("has never run")
        )
        why = _(
            "AI replies are not counted in the background, top-ups do not end, alerts are not sent."
            " Add the line to the crontab of a server."
        )
        section.findings.append(Finding("periodic.stopped", Severity.WARNING, "manage.py periodic", what, why, (CRON,)))
        return section
    for part in parts():
        last = runs.get(part.name)
        if last is not None and last.is_failure:
            what = _("failed in its last run: %(problem)s") % {"problem": last.problem or _("it did not finish")}
        elif part.is_late(last, now):
            succeeded = last.succeeded_at if last else None
            what = (
                _("has not run since %(moment)s") % {"moment": moment(succeeded)} if succeeded else _("has never run")
            )
        else:
            continue
        fix = f"manage.py periodic --only {part.name}"
        section.findings.append(
            Finding("periodic.late", Severity.WARNING, f"periodic {part.name}", what, str(part.label), (fix,))
        )
    return section
