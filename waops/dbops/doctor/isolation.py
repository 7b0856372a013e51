"""Check that our objects are in our schema, closed to others, and reached through the configured kind of connection."""

from dataclasses import dataclass

from django.apps import apps
from django.conf import settings
from django.core.checks import ERROR
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from waops.database.checks.connection import database_is_usable
from waops.database.fetch import fetch, fetch_value
from waops.database.pooler import detect_pooler
from waops.dbops.doctor.section import Section
from waops.dbops.figures import Column, Figures
from waops.dbops.findings import Finding, Severity

STRAY = """
    SELECT relname::text FROM pg_catalog.pg_class
    WHERE relnamespace = pg_catalog.to_regnamespace('public') AND relkind IN ('r', 'p')
      AND relname = ANY (%s) ORDER BY 1
"""
OPEN_TO = """
    SELECT rolname::text FROM pg_catalog.pg_roles
    WHERE rolname IN ('anon', 'authenticated')
      AND pg_catalog.has_schema_privilege(rolname, pg_catalog.to_regnamespace(%s)::oid, 'USAGE')
    ORDER BY 1
"""
PUBLIC_HAS_USAGE = """
    SELECT EXISTS (
        SELECT FROM pg_catalog.pg_namespace AS namespace, pg_catalog.aclexplode(namespace.nspacl) AS item
        WHERE namespace.nspname = %s AND item.grantee = 0
    )
"""


@dataclass(frozen=True)
class Fact:
    what: str
    value: str


COLUMNS = (Column("what", gettext_lazy("what")), Column("value", gettext_lazy("found")))


MODES = {
    "direct": pgettext_lazy("connection", "direct"),
    "session": pgettext_lazy("connection", "session pooler"),
    "transaction": pgettext_lazy("connection", "transaction pooler"),
}


def _mode(mode: str) -> str:
    return str(MODES.get(mode, mode))


def examine(connection: BaseDatabaseWrapper) -> Section:
    section = Section()
    section.findings += _connection_findings(connection)
    section.findings += _schema_findings(connection)
    detected = detect_pooler(connection)
    if finding := judge_pooler(detected, settings.DATABASE_POOL_MODE):
        section.findings.append(finding)
    facts = [
        Fact(_("server"), fetch_value(connection, "SELECT pg_catalog.current_setting('server_version')")),
        Fact(_("database"), fetch_value(connection, "SELECT pg_catalog.current_database()")),
        Fact(_("role"), fetch_value(connection, "SELECT current_user")),
        Fact(_("search path"), fetch_value(connection, "SELECT pg_catalog.current_setting('search_path')")),
        Fact(_("connection, configured"), _mode(settings.DATABASE_POOL_MODE)),
        Fact(_("connection, detected"), _mode(detected)),
    ]
    section.figures.append(Figures("connection", gettext_lazy("Connection"), COLUMNS, facts))
    return section


def _connection_findings(connection: BaseDatabaseWrapper) -> list[Finding]:
    """The system checks of the connection, with the commands that fix them."""
    role = fetch_value(connection, "SELECT pg_catalog.quote_ident(current_user)")
    database = fetch_value(connection, "SELECT pg_catalog.quote_ident(pg_catalog.current_database())")
    path = ", ".join(settings.SEARCH_PATH)
    fixes = {
        "waops.E002": (f"ALTER ROLE {role} IN DATABASE {database} SET search_path = {path};",),
        "waops.E003": ("ALTER TABLE public.django_migrations RENAME TO django_migrations_of_another_project;",),
        "waops.E004": ("manage.py demo baseline",),
        "waops.W001": (f"ALTER ROLE {role} BYPASSRLS;",),
    }
    return [
        Finding(
            f"connection.{message.id}",
            Severity.ERROR if message.level >= ERROR else Severity.WARNING,
            role,
            str(message.msg),
            str(message.hint),
            fixes.get(str(message.id), ()),
        )
        for message in database_is_usable(databases=[connection.alias])
    ]


def _schema_findings(connection: BaseDatabaseWrapper) -> list[Finding]:
    schema = settings.APP_SCHEMA
    if fetch_value(connection, "SELECT pg_catalog.to_regnamespace(%s) IS NULL", [schema]):
        return []  # reported by the schema section
    findings = []
    ours = [model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed]
    for table in fetch(connection, str, STRAY, [ours]):
        what = _("a table of this app is in schema public")
        why = _("Supabase exposes that schema over REST.")
        fix = f"ALTER TABLE public.{table} SET SCHEMA {schema};"
        findings.append(Finding("schema.stray_table", Severity.ERROR, f"public.{table}", what, why, (fix,)))
    strangers = fetch(connection, str, OPEN_TO, [schema])
    if fetch_value(connection, PUBLIC_HAS_USAGE, [schema]):
        strangers = ["PUBLIC", *strangers]
    if strangers:
        what = _("open to %(roles)s") % {"roles": ", ".join(strangers)}
        why = _("It holds this app's accounts, sessions and history.")
        fixes = tuple(f"REVOKE ALL ON SCHEMA {schema} FROM {role};" for role in strangers)
        findings.append(Finding("schema.open", Severity.ERROR, schema, what, why, fixes))
    return findings


def judge_pooler(detected: str, configured: str) -> Finding | None:
    """Report only harmful cases: a pooler although the settings promise a separate session."""
    order = ("direct", "session", "transaction")
    if order.index(detected) <= order.index(configured):
        return None
    return Finding(
        "connection.pooler",
        Severity.WARNING,
        f"DATABASE_POOL_MODE={configured}",
        _("the connection goes through a “%(kind)s” pooler") % {"kind": detected},
        _("Startup options are lost, and migrations must not run through a transaction pooler."),
        (f"DATABASE_POOL_MODE={detected}",),
    )
