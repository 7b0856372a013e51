"""Check the configured database. `migrate`, `runserver` and the web server refuse to start on an error."""

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connections
from django.utils.translation import gettext as _

from waops.database.live_schema import ForeignTable, OptionalTable

STATE = """
    SELECT pg_catalog.current_setting('search_path'),
           pg_catalog.to_regclass('public.django_migrations') IS NOT NULL,
           ARRAY(
               SELECT name FROM pg_catalog.unnest(%s::text[]) AS name
               WHERE pg_catalog.to_regclass('public.' || pg_catalog.quote_ident(name)) IS NULL
           ),
           ARRAY(
               SELECT name FROM pg_catalog.unnest(%s::text[]) AS name
               WHERE pg_catalog.row_security_active(pg_catalog.to_regclass('public.' || pg_catalog.quote_ident(name)))
           ),
           current_user
"""

REFUSED_OPTIONS = "startup parameter"
"""PgBouncer's message, in every language of the server."""


@register(Tags.database)
def database_is_usable(
    app_configs: Any = None, *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    for alias in databases or []:
        messages += _check(alias)
    return messages


def required_tables() -> list[str]:
    """Tables of the service that the app cannot work without."""
    return [
        model._meta.db_table
        for model in apps.get_models()
        if issubclass(model, ForeignTable) and not issubclass(model, OptionalTable)
    ]


def _check(alias: str) -> list[CheckMessage]:
    tables = required_tables()
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute(STATE, [tables, tables])
            search_path, public_migrations, missing, hidden, role = cursor.fetchone()
    except DatabaseError as error:
        return [_unreachable(error)]
    schemas = [name.strip().strip('"') for name in search_path.split(",")]
    messages: list[CheckMessage] = []
    if not _is_right(schemas):
        messages.append(_wrong_search_path(search_path))
    if public_migrations:
        messages.append(_foreign_migrations())
    if missing:
        messages.append(_missing_tables(missing))
    if hidden:
        messages.append(_hidden_rows(role, hidden))
    return messages


def _is_right(schemas: list[str]) -> bool:
    """Our schema first, so that our tables are not created in `public`; then `public`, which has the
    service's tables.
    """
    return schemas[:1] == [settings.APP_SCHEMA] and "public" in schemas


def _unreachable(error: Exception) -> CheckMessage:
    hint = _(
        "Check host, port, name, user and password in DATABASE_URL, and that the server accepts connections from here."
    )
    if REFUSED_OPTIONS in str(error):
        hint = _(
            "A pooler rejects options that are sent with a direct connection. Set DATABASE_POOL_MODE to session or "
            "transaction. The search path must then be set on the role: run the SQL that `manage.py role_sql` "
            "prints."
        )
    return Error(
        _("The database cannot be used: %(error)s") % {"error": str(error).strip()}, hint=hint, id="waops.E001"
    )


def _wrong_search_path(search_path: str) -> CheckMessage:
    return Error(
        _(
            "The connection's search path is “%(path)s”: Django would look for the app's tables, or create them, in "
            "the wrong schema."
        )
        % {"path": search_path},
        hint=_(
            "It must begin with %(schema)s and contain public. On a direct connection the app sets it "
            "(DATABASE_POOL_MODE=direct); behind a pooler it must be set on the role: run the SQL that `manage.py "
            "role_sql` prints."
        )
        % {"schema": settings.APP_SCHEMA},
        id="waops.E002",
    )


def _foreign_migrations() -> CheckMessage:
    return Error(
        _("Schema public has a table django_migrations, so another Django project uses it."),
        hint=_(
            "This app keeps its tables in schema %(schema)s and would mix up the migration histories. Move the "
            "other project to a separate schema, or rename that table if it is left over."
        )
        % {"schema": settings.APP_SCHEMA},
        id="waops.E003",
    )


def _missing_tables(missing: list[str]) -> CheckMessage:
    return Error(
        _("This database lacks tables of the WhatsApp service: %(tables)s.") % {"tables": ", ".join(missing)},
        hint=_(
            "Point DATABASE_URL at the service's own Supabase database, or load the development baseline into this "
            "empty one: manage.py demo baseline."
        ),
        id="waops.E004",
    )


def _hidden_rows(role: str, tables: list[str]) -> CheckMessage:
    return Warning(
        _("Row-level security hides rows from the role “%(role)s” in: %(tables)s. Lists will miss rows.")
        % {"role": role, "tables": ", ".join(tables)},
        hint=_("Connect as a role with BYPASSRLS: run the SQL that `manage.py role_sql` prints."),
        id="waops.W001",
    )
