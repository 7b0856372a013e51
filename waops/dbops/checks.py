"""Warn if the live tables, or what we installed, differ from what this version expects. Never stops `migrate`."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError, connections
from django.utils.translation import gettext as _

from waops.database.checks.connection import required_tables
from waops.database.fetch import fetch_value
from waops.dbops.damage import find_damage
from waops.dbops.doctor import functions
from waops.dbops.drift import find_drift
from waops.dbops.findings import Finding, Severity
from waops.dbops.plan import migrations_done
from waops.dbops.reading import bounded

IDS = {
    "column": "waops.W101",
    "enum": "waops.W102",
    "check": "waops.W102",
    "function": "waops.W103",
    "trigger": "waops.W104",
    **dict.fromkeys(("schema", "table", "sequence", "constraint", "grant", "migrations"), "waops.W105"),
}
"""By the first part of the finding's code."""
TABLES_EXIST = """
    SELECT pg_catalog.bool_or(pg_catalog.to_regclass('public.' || name) IS NOT NULL)
    FROM pg_catalog.unnest(%s::text[]) AS name
"""


@register(Tags.database)
def live_schema_is_known(
    app_configs: Any = None, *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Warn about damage and drift. The connection checks already report a missing table or an unreachable server."""
    messages: list[CheckMessage] = []
    for alias in databases or []:
        # Each separately: a damaged object may be what another section reads.
        for find in (_damaged, _drifted):
            try:
                with bounded(connections[alias]):
                    messages += map(_message, find(alias))
            except DatabaseError:
                continue
    return messages


def _damaged(alias: str) -> list[Finding]:
    return [damage.finding() for damage in find_damage(connections[alias])]


def _drifted(alias: str) -> list[Finding]:
    connection = connections[alias]
    done = migrations_done(connection)
    if not done or not fetch_value(connection, TABLES_EXIST, [required_tables()]):
        return []
    found = [*find_drift(connection), *functions.examine(connection, done).findings]
    return [
        finding
        for finding in found
        if finding.severity is not Severity.NOTE
        and finding.code.partition(".")[0] in IDS
        # Before `migrate` has run, nothing can have drifted.
        and not any(line.startswith("manage.py migrate") for line in finding.fix)
    ]


def _message(finding: Finding) -> CheckMessage:
    return Warning(
        f"{finding.subject}: {finding.what}. {finding.why}",
        hint=_("Run: %(fix)s") % {"fix": " ".join(finding.fix)},
        id=IDS[finding.code.partition(".")[0]],
    )
