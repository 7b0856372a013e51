"""Warnings where the live tables, or what we installed, are not as this version expects. They never stop `migrate`."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError, connections
from django.utils.translation import gettext as _

from waops.checks.connection import required_tables
from waops.embedded import EmbeddedServerError
from waops.operate.doctor import functions
from waops.operate.drift import find_drift
from waops.operate.findings import Finding, Severity
from waops.operate.reading import bounded, fetch_value

IDS = {
    "column": "waops.W101",
    "enum": "waops.W102",
    "check": "waops.W102",
    "function": "waops.W103",
    "trigger": "waops.W104",
}
"""By the first word of the finding's code."""
TABLES_EXIST = """
    SELECT pg_catalog.bool_or(pg_catalog.to_regclass('public.' || name) IS NOT NULL)
    FROM pg_catalog.unnest(%s::text[]) AS name
"""


@register(Tags.database)
def live_schema_is_known(
    app_configs: Any = None, *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """What the connection's own checks report already (a missing table, an unreachable server) is left to them."""
    messages: list[CheckMessage] = []
    for alias in databases or []:
        try:
            with bounded(connections[alias]):
                messages += [_message(finding) for finding in _findings(alias)]
        except (DatabaseError, EmbeddedServerError):
            continue
    return messages


def _findings(alias: str) -> list[Finding]:
    connection = connections[alias]
    if not fetch_value(connection, TABLES_EXIST, [required_tables()]):
        return []
    found = [*find_drift(connection), *functions.examine(connection).findings]
    return [
        finding
        for finding in found
        if finding.severity is not Severity.NOTE
        and finding.code.partition(".")[0] in IDS
        # Before `migrate` has run there is nothing to have drifted.
        and not any(line.startswith("manage.py migrate") for line in finding.fix)
    ]


def _message(finding: Finding) -> CheckMessage:
    return Warning(
        f"{finding.subject}: {finding.what}. {finding.why}",
        hint=_("Run: %(fix)s") % {"fix": " ".join(finding.fix)},
        id=IDS[finding.code.partition(".")[0]],
    )
