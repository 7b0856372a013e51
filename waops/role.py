"""SQL for a login role of the app's own, that may do what the pages do and no more."""

from django.apps import apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import sql

from waops.live_schema import ForeignTable, table_exists
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
    connection.ensure_connection()
    composed = sql.SQL(TEMPLATE).format(
        role=sql.Identifier(name),
        password=sql.Literal("REPLACE-THIS-PASSWORD"),
        database=sql.Identifier(connection.connection.info.dbname),
        schema=sql.Identifier(settings.APP_SCHEMA),
        search_path=sql.SQL(", ").join(map(sql.Identifier, settings.SEARCH_PATH)),
        statement_timeout=sql.Literal(milliseconds(settings.DATABASE_STATEMENT_TIMEOUT)),
        lock_timeout=sql.Literal(milliseconds(settings.DATABASE_LOCK_TIMEOUT)),
        grants=sql.SQL("\n").join(grants),
    )
    return composed.as_string(connection.connection)
