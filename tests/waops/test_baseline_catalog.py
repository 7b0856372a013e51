"""The loaded baseline is the deployed schema: every column, constraint, index and signature."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.databases import Databases
from tests.waops import baseline_facts as facts
from waops.dev.embedded.server import OWNER, EmbeddedServer

COLUMNS = """
    SELECT attname, format_type(atttypid, atttypmod), NOT attnotnull, pg_get_expr(adbin, adrelid)
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
CONSTRAINTS = """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = %s::regclass AND contype IN ('p', 'u', 'f', 'c', 'x')
"""
INDEXES = r"""
    SELECT regexp_replace(pg_get_indexdef(indexrelid), '(public|extensions)\.', '', 'g') FROM pg_index
    WHERE indrelid = %s::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""
FUNCTIONS = """
    SELECT format('%s(%s) returns %s', proname, pg_get_function_arguments(oid), pg_get_function_result(oid))
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prorettype <> 'trigger'::regtype
"""
OWNERS = """
    SELECT DISTINCT rolname, rolsuper FROM pg_roles JOIN (
        SELECT relowner AS owner FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION SELECT proowner FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION SELECT typowner FROM pg_type WHERE typnamespace = 'public'::regnamespace
        UNION SELECT datdba FROM pg_database WHERE datname = current_database()
    ) AS owned ON owner = oid
"""
WITHOUT_ROW_SECURITY = """
    SELECT relname FROM pg_class AS t WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND (
        NOT relrowsecurity
        OR NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = t.oid AND 'authenticated'::regrole = ANY (polroles))
    )
"""
TRIGGERED = """
    SELECT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal AND pg_get_triggerdef(oid) LIKE %s
"""


@pytest.fixture(scope="module", params=["before", "after"])
def variant(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def database(server: EmbeddedServer, databases: Databases, variant: str) -> Iterator[psycopg.Connection]:
    """A loaded database, as the owner of its tables, printing names as the recorded schema does."""
    with databases.clone(variant) as name, psycopg.connect(server.dsn(dbname=name), autocommit=True) as connection:
        connection.execute("SET search_path = public")
        yield connection


def rows(connection: psycopg.Connection, query: str, *parameters: object) -> list[Any]:
    """All rows; the values themselves where there is one column."""
    found = connection.execute(query, parameters or None).fetchall()
    return [row[0] for row in found] if found and len(found[0]) == 1 else found


@pytest.mark.parametrize("table", facts.TABLES)
def test_it_has_the_deployed_columns(database: psycopg.Connection, table: str) -> None:
    loaded = rows(database, COLUMNS, table)
    expected = facts.columns(table)

    for position, (name, type_, nullable, default) in enumerate(expected):
        if default == facts.SOME_TEXT:
            assert re.fullmatch(r"'.{10,}'::text", loaded[position][3])
            expected[position] = (name, type_, nullable, loaded[position][3])
    assert loaded == expected


@pytest.mark.parametrize("table", facts.TABLES)
def test_it_has_the_deployed_constraints(database: psycopg.Connection, table: str) -> None:
    assert dict(rows(database, CONSTRAINTS, table)) == facts.constraints(table)


@pytest.mark.parametrize("table", facts.TABLES)
def test_it_has_the_deployed_indexes_and_the_plans_only_afterwards(
    database: psycopg.Connection, variant: str, table: str
) -> None:
    trigrams = bool(rows(database, "SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'"))

    assert set(rows(database, INDEXES, table)) == facts.indexes(table, variant=variant, trigrams=trigrams)


def test_it_has_the_deployed_functions(database: psycopg.Connection, variant: str) -> None:
    assert {facts.plain(signature) for signature in rows(database, FUNCTIONS)} == facts.functions(variant=variant)


def test_it_has_the_deployed_enums(database: psycopg.Connection) -> None:
    enums = rows(
        database,
        "SELECT typname, array_agg(enumlabel::text ORDER BY enumsortorder)"
        " FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid GROUP BY typname",
    )

    assert dict(enums) == facts.DEPLOYED["enums"]


def test_one_role_owns_everything_and_is_not_a_superuser(database: psycopg.Connection) -> None:
    assert rows(database, OWNERS) == [(OWNER, False)]


def test_auth_belongs_to_another_role_and_is_open_to_the_owner(database: psycopg.Connection) -> None:
    assert rows(database, "SELECT tableowner FROM pg_tables WHERE schemaname = 'auth'") == ["supabase_auth_admin"]
    for privilege in ("SELECT", "INSERT", "REFERENCES"):
        assert rows(database, "SELECT has_table_privilege('auth.users', %s)", privilege) == [True]


def test_every_table_has_row_level_security_with_a_policy(database: psycopg.Connection) -> None:
    assert rows(database, WITHOUT_ROW_SECURITY) == []


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_what_the_owner_creates_in_public_is_open_to_the_rest_roles(database: psycopg.Connection, role: str) -> None:
    with database.transaction(force_rollback=True):
        database.execute(
            "CREATE TABLE public.new_table (); CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'"
        )
        database.execute("REVOKE EXECUTE ON FUNCTION public.f() FROM PUBLIC")

        assert rows(database, "SELECT has_table_privilege(%s, 'public.new_table', 'SELECT')", role) == [True]
        assert rows(database, "SELECT has_function_privilege(%s, 'public.f()', 'EXECUTE')", role) == [True]


def test_triggers_are_on_the_deployed_tables(database: psycopg.Connection) -> None:
    named = next(tables for tables in facts.DEPLOYED["triggers"] if tables.startswith("profiles, "))

    assert set(rows(database, TRIGGERED, "%BEFORE UPDATE%update_updated_at_column()")) == set(named.split(", "))
    assert rows(database, TRIGGERED, "%AFTER INSERT%FOR EACH ROW%") == ["whatsapp_conversation_messages"]
