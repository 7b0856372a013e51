"""Find writes to a table that fire none of its statement triggers, so that what the triggers keep cannot be trusted."""

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from waops.database.fetch import fetch
from waops.dbops.findings import Finding, Severity

CHILDREN = """
    SELECT inhrelid::regclass::text FROM pg_catalog.pg_inherits
    WHERE inhparent = pg_catalog.to_regclass(%s) ORDER BY 1
"""
# The view, because before Postgres 14 not everyone may read pg_subscription.oid.
SUBSCRIPTIONS = """
    SELECT DISTINCT subscription.subname::text
    FROM pg_catalog.pg_subscription_rel AS written
    JOIN pg_catalog.pg_stat_subscription AS subscription ON subscription.subid = written.srsubid
    WHERE written.srrelid = pg_catalog.to_regclass(%s) ORDER BY 1
"""


def hidden_writes(connection: BaseDatabaseWrapper, table: str, *, children: str, replicated: str) -> list[Finding]:
    """Findings about a table with writes that fire no statement trigger.

    `children`, `replicated`: why it matters that the table has child tables, or is written by a subscription.
    """
    findings = []
    if names := fetch(connection, str, CHILDREN, [table]):
        what = _("has child tables or partitions: %(names)s") % {"names": ", ".join(names)}
        findings.append(Finding("data.child_tables", Severity.WARNING, table, what, children))
    if names := fetch(connection, str, SUBSCRIPTIONS, [table]):
        what = _("written by logical replication: %(names)s") % {"names": ", ".join(names)}
        findings.append(Finding("data.subscription", Severity.WARNING, table, what, replicated))
    return findings
