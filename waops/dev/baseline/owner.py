"""The role that owns the baseline's tables and functions: not a superuser, as on Supabase."""

import psycopg
from psycopg import sql

SUPABASE_OWNER = "postgres"
SUBSTITUTE_OWNER = "supabase_owner"
"""Replaces `postgres` on a server whose `postgres` is a superuser, as on most servers except Supabase's."""

REST_ROLES = ("anon", "authenticated", "service_role")

CREATE_OWNER = """
    DO $$ BEGIN
        CREATE ROLE {owner} LOGIN CREATEDB CREATEROLE REPLICATION BYPASSRLS;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL; -- another load, into another database of this server, was first
    END $$
"""
GRANT_REST_ROLE = """
    DO $$ BEGIN
        GRANT {role} TO {owner};
    EXCEPTION WHEN unique_violation THEN
        NULL; -- as above
    END $$
"""
GRANT_DATABASE = """
    ALTER DATABASE {database} OWNER TO {owner};
    GRANT USAGE, CREATE ON SCHEMA public, extensions TO {owner} WITH GRANT OPTION;
    GRANT USAGE ON SCHEMA auth TO {owner};
    GRANT ALL ON auth.users TO {owner};
    GRANT EXECUTE ON FUNCTION auth.uid() TO {owner};
"""


def establish_owner(connection: psycopg.Connection) -> str:
    """Create the owner if missing, give it this database and the grants Supabase gives it; returns its name.

    Needs a superuser's connection and the schemas `auth` and `extensions`.
    """
    role = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = %s", [SUPABASE_OWNER]).fetchone()
    owner = SUBSTITUTE_OWNER if role and role[0] else SUPABASE_OWNER
    names = {"owner": sql.Identifier(owner), "database": sql.Identifier(connection.info.dbname)}
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [owner]).fetchone() is None:
        connection.execute(sql.SQL(CREATE_OWNER).format(**names))
    for rest_role in REST_ROLES:
        member = connection.execute("SELECT pg_has_role(%s, %s, 'MEMBER')", [owner, rest_role]).fetchone()
        if not (member and member[0]):
            connection.execute(sql.SQL(GRANT_REST_ROLE).format(role=sql.Identifier(rest_role), **names))
    connection.execute(sql.SQL(GRANT_DATABASE).format(**names))
    return owner
