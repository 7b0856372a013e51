"""What the rest of the database says about our schema when it is gone, renamed, or missing from a restored dump."""

from collections.abc import Iterator

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from waops.database.fetch import fetch
from waops.dbops.findings import Damage
from waops.dbops.plan import plan
from waops.schema.routines import MARK

# Other Django projects also have tables such as auth_group, so only this app's own are recognised by name.
KEYS_ELSEWHERE = """
    SELECT key.conname::text FROM pg_catalog.pg_constraint AS key
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = key.connamespace
    WHERE key.contype = 'p' AND key.conname = ANY (%s) AND (namespace.nspname = %s OR key.conname LIKE %s)
    LIMIT 1
"""
RENAMED_SCHEMA = """
    SELECT pg_catalog.quote_ident(namespace.nspname) FROM pg_catalog.pg_namespace AS namespace
    WHERE namespace.nspname <> %s AND 2 = (
        SELECT pg_catalog.count(*) FROM pg_catalog.pg_class AS relation
        WHERE relation.relnamespace = namespace.oid AND relation.relkind = 'r'
          AND relation.relname IN ('waops_installedobject', 'django_migrations')
    ) AND NOT EXISTS (SELECT FROM pg_catalog.pg_proc WHERE pronamespace = pg_catalog.to_regnamespace(%s))
"""
SCHEMA_EXISTS = "SELECT pg_catalog.to_regnamespace(%s) IS NOT NULL"
LEFT_IN_PUBLIC = f"""
    SELECT routine.oid::pg_catalog.regprocedure::text FROM pg_catalog.pg_proc AS routine
    WHERE routine.pronamespace = pg_catalog.to_regnamespace('public') AND routine.proname = ANY (%s::text[])
      AND (
          pg_catalog.left(pg_catalog.obj_description(routine.oid, 'pg_proc'), {len(MARK)}) = '{MARK}'
          OR routine.prosrc = ANY (%s::text[])
      )
    ORDER BY 1
"""  # noqa: S608


def keys_elsewhere(connection: BaseDatabaseWrapper, tables: list[str]) -> bool:
    """Whether our tables exist under other names, or some of them in another schema."""
    if fetch(connection, str, RENAMED_SCHEMA, [settings.APP_SCHEMA] * 2):
        return False
    names = [f"{name.partition('.')[2]}_pkey" for name in tables]
    return bool(fetch(connection, str, KEYS_ELSEWHERE, [names, settings.APP_SCHEMA, f"{settings.APP_SCHEMA}\\_%"]))


def left_in_public(connection: BaseDatabaseWrapper) -> list[str]:
    """Signatures of functions in `public` that this app installed, recognised by mark or body."""
    functions = [function for function in plan().functions if function.name.startswith("public.")]
    names = [function.name.partition(".")[2] for function in functions]
    return fetch(connection, str, LEFT_IN_PUBLIC, [names, [function.body for function in functions]])


def no_schema(connection: BaseDatabaseWrapper) -> Iterator[Damage]:
    schema = settings.APP_SCHEMA
    if renamed := fetch(connection, str, RENAMED_SCHEMA, [schema, schema]):
        fix = [f"ALTER SCHEMA {renamed[0]} RENAME TO {schema};"]
        if fetch(connection, bool, SCHEMA_EXISTS, [schema]) == [True]:
            fix.insert(0, f"DROP SCHEMA {schema};")
        what = _("missing; schema %(name)s has its tables") % {"name": renamed[0]}
        yield Damage("schema.renamed", schema, what, tuple(fix), stops_pages=True)
    elif functions := left_in_public(connection):
        what = _("missing, but schema public has functions from this app: %(functions)s") % {
            "functions": ", ".join(functions)
        }
        lost = _(
            "Accounts, settings, history and the record of what this app replaced are lost. Restore schema "
            "%(schema)s from a backup if you have one. Otherwise the original versions of these functions are "
            "unknown: %(functions)s. After `manage.py migrate zero`, deploy them again from the service's "
            "migrations."
        ) % {"schema": schema, "functions": ", ".join(functions)}
        yield Damage("schema.lost", schema, what, (), lost, stops_pages=True)
