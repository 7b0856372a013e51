"""Slow queries, where the server counts them and where it does not."""

import json
import shutil
import tempfile
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from tests.databases import django_uses
from tests.roles import django_is
from waops.dbops.reading import bounded
from waops.dbops.statements import Statements, read_statements, statement_figures
from waops.dev.embedded.server import SUPERUSER, EmbeddedServer


def read(**options) -> Statements:
    with bounded(connection):
        return read_statements(connection, **options)


@pytest.fixture
def counting(contrib, superuser):
    """pg_stat_statements, installed and empty."""
    superuser.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements WITH SCHEMA extensions")
    superuser.execute("SELECT extensions.pg_stat_statements_reset()")
    return superuser


def run_on_our_tables(times: int) -> None:
    with connection.cursor() as cursor:
        for number in range(times):
            cursor.execute("SELECT id FROM whatsapp_conversations WHERE user_phone = %s", [str(number)])


def test_statements_are_counted_normalised_and_ranked(counting):
    run_on_our_tables(3)
    statements = read()
    (found,) = [row for row in statements.rows if "FROM whatsapp_conversations WHERE user_phone" in row.query]
    assert found.calls == 3
    assert "$1" in found.query
    assert found.role == "postgres"
    assert 0 < found.mean_ms <= found.total_ms
    assert 0 < found.share < 1
    assert statements.since is not None
    totals = [row.total_ms for row in statements.rows]
    assert totals == sorted(totals, reverse=True)


def test_only_ours(counting):
    run_on_our_tables(1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_catalog.pg_class")
    assert not [row for row in read(ours_only=True).rows if "count(*) FROM pg_catalog.pg_class" in row.query]
    assert [row for row in read(ours_only=True).rows if "whatsapp_conversations" in row.query]


def test_calls_of_our_functions_are_ours(counting):
    """As a driver sends them, and as PostgREST does."""
    as_postgrest = """
        WITH pgrst_source AS (
            SELECT pgrst_call.* FROM (SELECT '{"p_user_id": null}'::json AS json_data) pgrst_payload,
            LATERAL (SELECT "p_user_id" FROM json_to_record(pgrst_payload.json_data) AS _("p_user_id" uuid) LIMIT 1)
                pgrst_body,
            LATERAL "public"."check_and_update_ai_usage"("p_user_id" := pgrst_body."p_user_id") pgrst_call
        )
        SELECT * FROM pgrst_source
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.function_switches()")
        cursor.execute(as_postgrest)
    ours = [row.query for row in read(ours_only=True).rows]
    assert [query for query in ours if query.startswith("SELECT public.function_switches")]
    assert [query for query in ours if "pgrst_call" in query]


@pytest.mark.parametrize("order", ["mean", "calls"])
def test_other_orders(counting, order):
    run_on_our_tables(5)
    values = [getattr(row, "mean_ms" if order == "mean" else "calls") for row in read(order=order).rows]
    assert values == sorted(values, reverse=True)


def test_the_extension_may_be_in_any_schema(counting):
    counting.execute('CREATE SCHEMA "Odd Place"')
    counting.execute('ALTER EXTENSION pg_stat_statements SET SCHEMA "Odd Place"')
    run_on_our_tables(1)
    assert "Odd Place" in read().unavailable
    counting.execute('GRANT USAGE ON SCHEMA "Odd Place" TO postgres')
    assert read().rows


def test_other_roles_statements_are_said_to_be_hidden(counting):
    counting.execute("SELECT 1")
    with bounded(connection):
        figures = statement_figures(read_statements(connection), connection)
    assert "GRANT pg_read_all_stats TO postgres;" in figures.note


def test_an_extension_that_is_not_installed_names_the_line_that_installs_it(counting):
    counting.execute("DROP EXTENSION pg_stat_statements")
    statements = read()
    assert statements.unavailable
    counting.execute(statements.remedy)
    assert not read().unavailable


@pytest.mark.parametrize(("version", "knows_since"), [("1.7", False), ("1.8", False), ("1.9", True), ("1.10", True)])
def test_every_version_of_the_extension_that_the_server_has(counting, version, knows_since):
    """Those of Postgres 12 to 15: the names of columns changed with 13, the time of the reset came with 14."""
    counting.execute("DROP EXTENSION pg_stat_statements")
    counting.execute(f"CREATE EXTENSION pg_stat_statements WITH SCHEMA extensions VERSION '{version}'")
    run_on_our_tables(2)
    assert read().rows
    assert (read().since is not None) == knows_since


@pytest.mark.usefixtures("contrib")
def test_an_extension_that_the_server_does_not_load_names_the_line_and_it_helps(server, django_db_blocker):
    """On a separate server, because the libraries are fixed when it starts."""
    home = Path(tempfile.mkdtemp(prefix="waops-test-"))
    first = EmbeddedServer(
        home, binaries=server.binaries, options=("fsync=off", "shared_preload_libraries=auto_explain")
    )
    try:
        first.start()
        with psycopg.connect(first.dsn(SUPERUSER), autocommit=True) as session:
            session.execute("CREATE EXTENSION pg_stat_statements")
            dbname = session.info.dbname
        with django_db_blocker.unblock(), django_uses(first, dbname), django_is(SUPERUSER):
            found = read()
        assert found.remedy == "ALTER SYSTEM SET shared_preload_libraries = 'auto_explain', 'pg_stat_statements';"
        with psycopg.connect(first.dsn(SUPERUSER), autocommit=True) as session:
            session.execute(found.remedy)
        first.release()
        again = EmbeddedServer(home, binaries=server.binaries, options=("fsync=off",))
        again.start()
        with django_db_blocker.unblock(), django_uses(again, dbname), django_is(SUPERUSER):
            assert not read().unavailable
        again.release()
    finally:
        shutil.rmtree(home)


def test_a_server_without_it_says_so(server, databases, django_db_blocker, capsys):
    stops = pytest.raises(SystemExit)
    with django_db_blocker.unblock(), databases.clone("empty") as name, django_uses(server, name), stops:
        call_command("doctor", "queries", json=True)
    answer = json.loads(capsys.readouterr().out)["statements"]
    assert answer["rows"] == []
    assert answer["unavailable"]
    assert answer["remedy"]
