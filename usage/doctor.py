"""The doctor's check for quota changes that the trigger on `profiles` could not record."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection as default
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from waops.database.fetch import fetch_one
from waops.dbops.doctor.hidden_writes import hidden_writes
from waops.dbops.doctor.section import Section
from waops.dbops.figures import moment
from waops.dbops.findings import Finding, Severity
from waops.dbops.reading import exist

MISSED_CHANGES = """
    SELECT count(*) + coalesce(
               pg_catalog.pg_sequence_last_value(pg_catalog.to_regclass('waops.usage_missed_changes')), 0
           ),
           max(missed.at)
    FROM waops.usage_missed AS missed
    WHERE missed.what = 'quota_change'
"""


@dataclass(frozen=True)
class MissedChanges:
    """`count` is exact, except after a server crash, when it may be up to about 30 too high.

    `last` is the last one with a row in `usage_missed`; None if there are none.
    """

    count: int
    last: datetime | None


def missed_changes(connection: BaseDatabaseWrapper = default) -> MissedChanges:
    """Changes of limits and counters, made outside this app, that are missing in the history of quotas."""
    return MissedChanges(*fetch_one(connection, MISSED_CHANGES))


def examine(connection: BaseDatabaseWrapper) -> Section:
    section = Section()
    if not exist(connection, "waops.usage_missed"):
        return section
    section.findings += hidden_writes(
        connection,
        "public.whatsapp_ai_interactions",
        children=_("Writes to them fire no trigger, so AI replies are not counted."),
        replicated=_(
            "Such writes fire no statement trigger, so counts of AI replies may be wrong. Run repair usage --apply "
            "after them."
        ),
    )
    missed = missed_changes(connection)
    if missed.count:
        what = _("quota changes missing from the history: %(count)s") % {"count": missed.count}
        if missed.last:
            what += f" ({moment(missed.last)})"
        why = _("The history could not be written when they were made. The limits and counters are correct.")
        section.findings.append(
            # A note, because what was not recorded cannot be recovered.
            Finding("data.missed_quota_changes", Severity.NOTE, "waops.usage_quotachange", what, why)
        )
    return section
