"""SQL for two login roles: the app's, which can do only what the pages do, and the migrator's."""

from typing import LiteralString

from django.apps import apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from waops.database.fetch import fetch_value
from waops.database.live_schema import ForeignTable, table_exists
from waops.schema.timeouts import milliseconds

WRITES: dict[str, tuple[LiteralString, ...]] = {}
"""By table of the service: what pages change in it. Apps add theirs."""
CALLS: list[LiteralString] = []
"""Functions in `public`, with their argument types, that pages call without a fallback. Apps add theirs."""

TEMPLATE = """\
-- A login role for the app. Run this after migrate, as the role that runs `manage.py migrate` (on Supabase: postgres,
-- in the SQL editor). Replace the password. Tables added by later migrations are granted to it automatically.
--
-- The role can log in, read the service's tables, and write what the pages write. It cannot create or drop anything,
-- so `migrate` and the repairs use another role. Without BYPASSRLS, row-level security would hide every row from it;
-- before Postgres 16 only a superuser can grant that (Supabase lets postgres).
CREATE ROLE {role} LOGIN PASSWORD {password} BYPASSRLS NOSUPERUSER NOCREATEDB NOCREATEROLE;
ALTER ROLE {role} IN DATABASE {database} SET search_path = {search_path};
ALTER ROLE {role} IN DATABASE {database} SET statement_timeout = {statement_timeout};
ALTER ROLE {role} IN DATABASE {database} SET lock_timeout = {lock_timeout};
GRANT CONNECT ON DATABASE {database} TO {role};

-- The app's own schema.
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE, SELECT ON SEQUENCES TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT EXECUTE ON FUNCTIONS TO {role};

-- The service's tables.
GRANT USAGE ON SCHEMA public TO {role};
{grants}

-- Figures of all roles: slow queries, connections, blocked sessions. Without it, pages show only this role's own.
DO $$
BEGIN
    GRANT pg_read_all_stats TO {role};
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'pg_read_all_stats was not granted: a superuser can do that';
END
$$;
{statistics}
"""
STATISTICS = """
    SELECT namespace.nspname::text FROM pg_catalog.pg_extension AS extension
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = extension.extnamespace
    WHERE extension.extname = 'pg_stat_statements'
"""


MIGRATOR = """\
-- A login role for `manage.py migrate`, the repairs and the backup. Run this as a role that can grant {owner}: before
-- Postgres 16 any role with CREATEROLE, since then one with ADMIN OPTION on it (superusers have it). If there is none,
-- keep migrating as {owner}. Replace the password.
--
-- Only a table's owner can build its indexes, so this role acts as {owner}, which then owns what it creates; the log
-- shows who did it. The role has a separate password and owns nothing. Between rollouts, lock it:
--   ALTER ROLE {migrator} NOLOGIN;
CREATE ROLE {migrator} LOGIN PASSWORD {password} NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
GRANT CONNECT ON DATABASE {database} TO {migrator};
GRANT {owner} TO {migrator};
ALTER ROLE {migrator} IN DATABASE {database} SET role = {owner};
ALTER ROLE {migrator} IN DATABASE {database} SET search_path = {search_path};
"""
OWNER = """
    SELECT COALESCE((
        SELECT pg_catalog.pg_get_userbyid(relowner)::text FROM pg_catalog.pg_class
        WHERE oid = pg_catalog.to_regclass('public.whatsapp_conversation_messages')
    ), current_user::text)
"""


def role_sql(name: str, using: str = DEFAULT_DB_ALIAS) -> str:
    """The statements, for the database that `using` names and the service's tables in it."""
    connection = connections[using]
    tables = sorted(
        model._meta.db_table
        for model in apps.get_models()
        if issubclass(model, ForeignTable) and table_exists(model, using)
    )
    grants = [
        sql.SQL("GRANT {} ON {} TO {};").format(
            sql.SQL(", ").join(map(sql.SQL, ("SELECT", *WRITES.get(table, ())))),
            sql.Identifier("public", table),
            sql.Identifier(name),
        )
        for table in tables
    ]
    return _filled_in(
        connection,
        TEMPLATE,
        role=sql.Identifier(name),
        schema=sql.Identifier(settings.APP_SCHEMA),
        statement_timeout=sql.Literal(milliseconds(settings.DATABASE_STATEMENT_TIMEOUT)),
        lock_timeout=sql.Literal(milliseconds(settings.DATABASE_LOCK_TIMEOUT)),
        grants=sql.SQL("\n").join([*grants, *_calls(connection, name)]),
        statistics=_statistics(fetch_value(connection, STATISTICS), name),
    )


def _calls(connection: BaseDatabaseWrapper, role: str) -> list[sql.Composable]:
    """Grants on those functions of CALLS that the database has; the others come with `migrate`."""
    known = "SELECT pg_catalog.to_regprocedure(%s) IS NOT NULL"
    return [
        sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {};").format(sql.SQL(function), sql.Identifier(role))
        for function in CALLS
        if fetch_value(connection, known, [function])
    ]


def _statistics(schema: str | None, role: str) -> sql.Composable:
    """Lets the role read pg_stat_statements, if the database has it."""
    if schema is None:
        return sql.SQL("-- pg_stat_statements is not installed here. Once it is, run this command again.")
    return sql.SQL("GRANT USAGE ON SCHEMA {} TO {};").format(sql.Identifier(schema), sql.Identifier(role))


def migrator_sql(name: str, using: str = DEFAULT_DB_ALIAS) -> str:
    """The statements for a role that can act as the owner of the service's tables."""
    connection = connections[using]
    owner = str(fetch_value(connection, OWNER))
    return _filled_in(connection, MIGRATOR, migrator=sql.Identifier(name), owner=sql.Identifier(owner))


def _filled_in(connection: BaseDatabaseWrapper, template: LiteralString, **parts: sql.Composable) -> str:
    connection.ensure_connection()
    composed = sql.SQL(template).format(
        password=sql.Literal("REPLACE-THIS-PASSWORD"),
        database=sql.Identifier(connection.connection.info.dbname),
        search_path=sql.SQL(", ").join(map(sql.Identifier, settings.SEARCH_PATH)),
        **parts,
    )
    return composed.as_string(connection.connection)
