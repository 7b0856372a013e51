"""SQL for two login roles: the app's, that may do what the pages do and no more, and the one that migrates."""

from typing import LiteralString

from django.apps import apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from waops.live_schema import ForeignTable, table_exists
from waops.operate.reading import fetch_value
from waops.operations.timeouts import milliseconds

WRITES = {"escalated_conversations": ("INSERT", "UPDATE"), "profiles": ("UPDATE",)}
"""What pages change in the foreign tables: escalations are opened and closed, quotas are set."""

TEMPLATE = """\
-- A login role for the app. Run it as the role that runs `manage.py migrate` (on Supabase: postgres, in the SQL
-- editor), after migrate. Replace the password. Tables that later migrations add are open to it without more ado.
--
-- The role may sign in, read the service's tables, and write what the pages write. It may not create or drop anything,
-- so `migrate` and the repairs keep using their own role. BYPASSRLS: row-level security would hide every row from it;
-- before Postgres 16 only a superuser may give that (Supabase lets postgres).
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
"""


MIGRATOR = """\
-- A login role for `manage.py migrate`, the repairs and the backup. Run it as a role that may grant {owner}: before
-- Postgres 16 any role with CREATEROLE, since then one with ADMIN OPTION on it (a superuser has it). Where nobody may,
-- keep migrating as {owner}. Replace the password.
--
-- Only a table's owner may build its indexes, so this role acts as {owner}: what it makes is as if {owner} had made it,
-- and the log says who it was. It has a password of its own, and nothing of its own to lose. Between rollouts:
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
    """The statements, for the database that `using` names and the foreign tables that it has."""
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
        grants=sql.SQL("\n").join(grants),
    )


def migrator_sql(name: str, using: str = DEFAULT_DB_ALIAS) -> str:
    """The statements for a role that may act as the owner of the service's tables."""
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
