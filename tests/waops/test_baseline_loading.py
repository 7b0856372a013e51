"""Loading: into an empty database only, by a superuser only, all or nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from psycopg import errors
from pytest_django import Settings

from tests import wording
from tests.databases import Databases, django_uses
from waops.dev.baseline import DatabaseNotEmpty, SuperuserNeeded, load
from waops.dev.embedded.server import OWNER, SUPERUSER, EmbeddedServer

EVERYTHING = """
    SELECT 'schema', nspname FROM pg_namespace
    UNION ALL SELECT 'relation', relname FROM pg_class WHERE relnamespace >= 16384 OR relnamespace = 2200
    UNION ALL SELECT 'function', proname FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT 'acl', nspacl::text FROM pg_namespace WHERE nspname = 'public'
    UNION ALL SELECT 'owner', datdba::regrole::text FROM pg_database WHERE datname = current_database()
    ORDER BY 1, 2
"""


@pytest.fixture
def connection(empty_database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(empty_database, autocommit=True) as connection:
        yield connection


def values(connection: psycopg.Connection, query: str) -> list[Any]:
    return [row[0] for row in connection.execute(query)]


def tables(connection: psycopg.Connection) -> set[str]:
    return set(values(connection, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))


@pytest.mark.parametrize(
    ("obstacle", "named"),
    [
        ("CREATE TABLE public.customers ()", "public.customers"),
        ("CREATE VIEW public.report AS SELECT 1", "public.report"),
        ("CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "public.f()"),
        ("CREATE TYPE public.mood AS ENUM ('calm')", "type public.mood"),
        ("CREATE SCHEMA auth", "schema auth"),
        ("CREATE SCHEMA waops", "schema waops"),
    ],
)
def test_it_refuses_a_database_that_is_not_empty(connection: psycopg.Connection, obstacle: str, named: str) -> None:
    connection.execute(obstacle)
    found = connection.execute(EVERYTHING).fetchall()

    with pytest.raises(DatabaseNotEmpty) as refusal:
        load(connection)

    assert f"it contains {named}." in str(refusal.value)
    assert connection.execute(EVERYTHING).fetchall() == found


def test_it_refuses_to_load_twice(connection: psycopg.Connection) -> None:
    load(connection)

    with pytest.raises(DatabaseNotEmpty):
        load(connection)


def test_a_failure_half_way_leaves_nothing(connection: psycopg.Connection) -> None:
    connection.execute("CREATE SCHEMA extensions")
    connection.execute("CREATE FUNCTION extensions.uuid_generate_v4() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'")
    found = connection.execute(EVERYTHING).fetchall()

    with pytest.raises(errors.DuplicateFunction):
        load(connection)

    assert connection.execute(EVERYTHING).fetchall() == found


def test_it_refuses_a_role_that_is_not_a_superuser(server: EmbeddedServer, connection: psycopg.Connection) -> None:
    with (
        psycopg.connect(server.dsn(OWNER, connection.info.dbname)) as as_owner,
        pytest.raises(SuperuserNeeded, match=f"“{OWNER}” {wording.NOT_A_SUPERUSER}"),
    ):
        load(as_owner)

    assert tables(connection) == set()


def test_another_role_owns_the_tables_where_postgres_is_a_superuser(connection: psycopg.Connection) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute("ALTER ROLE postgres SUPERUSER")

        load(connection)

        assert values(connection, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'") == [
            "supabase_owner"
        ]
        assert values(connection, "SELECT rolsuper FROM pg_roles WHERE rolname = 'supabase_owner'") == [False]
        assert values(connection, "SELECT current_user") == [SUPERUSER]


def test_two_databases_of_one_server_can_be_loaded_at_once(server: EmbeddedServer, databases: Databases) -> None:
    def load_into(name: str) -> set[str]:
        with psycopg.connect(server.dsn(SUPERUSER, name)) as connection:
            load(connection)
            return tables(connection)

    with databases.clone("empty") as one, databases.clone("empty") as other, ThreadPoolExecutor(2) as pool:
        loaded = list(pool.map(load_into, [one, other]))

    assert "profiles" in loaded[0]
    assert loaded[0] == loaded[1]


def test_the_optional_tables_can_be_left_out(connection: psycopg.Connection) -> None:
    load(connection, optional_tables=False)

    assert tables(connection).isdisjoint({"support_team_numbers", "customer_profiles"})
    assert "profiles" in tables(connection)


def test_an_older_deployment_has_a_column_more_and_other_reasons(connection: psycopg.Connection) -> None:
    load(connection, older=True)

    connection.execute("SELECT escalation_threshold FROM whatsapp_instances")
    connection.execute("INSERT INTO escalated_conversations (whatsapp_number, reason) VALUES ('20100', 'ai_failure')")
    with pytest.raises(errors.CheckViolation):
        connection.execute("INSERT INTO escalated_conversations (whatsapp_number, reason) VALUES ('20100', 'other')")


class TestCommand:
    def test_it_loads_the_configured_database_and_says_so(
        self, server: EmbeddedServer, connection: psycopg.Connection
    ) -> None:
        output = StringIO()
        with django_uses(server, connection.info.dbname):
            call_command("demo", "baseline", "--variant=after", "--without-optional-tables", "--older", stdout=output)

        assert output.getvalue() == wording.LOADED_THE_BASELINE.format("after", connection.info.dbname) + "\n"
        assert "support_team_numbers" not in tables(connection)
        assert values(connection, "SELECT to_regclass('public.idx_messages_conversation') IS NOT NULL") == [True]

    def test_it_names_what_prevents_it(self, server: EmbeddedServer, connection: psycopg.Connection) -> None:
        connection.execute("CREATE TABLE public.customers ()")

        with (
            django_uses(server, connection.info.dbname),
            pytest.raises(CommandError, match=r"contains public\.customers"),
        ):
            call_command("demo", "baseline")

    def test_it_tells_that_a_database_of_ones_own_needs_its_superuser(
        self, server: EmbeddedServer, connection: psycopg.Connection, settings: Settings
    ) -> None:
        settings.EMBEDDED_POSTGRES = False

        with django_uses(server, connection.info.dbname), pytest.raises(CommandError, match=wording.NOT_A_SUPERUSER):
            call_command("demo", "baseline")

    def test_it_tells_that_the_server_cannot_be_reached(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(connections["default"].settings_dict, "HOST", "no-such-host.invalid")
        with pytest.raises(CommandError, match=r"no-such-host\.invalid"):
            call_command("demo", "baseline")
