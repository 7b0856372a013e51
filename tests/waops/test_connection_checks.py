"""What `migrate`, `runserver` and the web server say about a database that they cannot use."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable

import psycopg
import pytest
from django.conf import settings
from psycopg import conninfo

from waops.dev.embedded.server import SUPERUSER, EmbeddedServer

Manage = Callable[..., "subprocess.CompletedProcess[str]"]


def url(dsn: str, **changes: str) -> str:
    """DATABASE_URL of a libpq connection string on a socket."""
    parts = {**conninfo.conninfo_to_dict(dsn), **changes}
    return f"postgresql://{parts['user']}@/{parts['dbname']}?host={parts['host']}"


@pytest.fixture
def manage() -> Manage:
    def run(database_url: str, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env={**os.environ, "DATABASE_URL": database_url, "SECRET_KEY": "x" * 50, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


def assert_refused(result: "subprocess.CompletedProcess[str]", *words: str) -> None:
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr


def test_an_empty_database_names_the_two_ways_out(manage: Manage, empty_database: str) -> None:
    result = manage(url(empty_database), "migrate")
    assert_refused(result, "waops.E004", "profiles", "DATABASE_URL", "demo baseline")
    with psycopg.connect(empty_database) as connection:
        query = "SELECT to_regnamespace('waops') IS NULL, to_regclass('public.django_migrations') IS NULL"
        assert connection.execute(query).fetchone() == (True, True)


def test_an_unreachable_host_is_explained(manage: Manage) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        result = manage(f"postgresql://u:p@127.0.0.1:{port}/d", "migrate")
    assert_refused(result, "waops.E001", "DATABASE_URL")


def test_an_unknown_role_is_explained(manage: Manage, owner_database: str) -> None:
    assert_refused(manage(url(owner_database, user="nobody_here"), "migrate"), "waops.E001", "nobody_here")


def test_a_wrong_password_is_explained(manage: Manage, server: EmbeddedServer, owner_database: str) -> None:
    hba = server.data_dir / "pg_hba.conf"
    trusting = hba.read_text()
    hba.write_text(f"local all with_password scram-sha-256\n{trusting}")
    with psycopg.connect(server.dsn(SUPERUSER), autocommit=True) as connection:
        connection.execute("CREATE ROLE with_password LOGIN PASSWORD 'right'")
        connection.execute("SELECT pg_reload_conf()")
        try:
            dsn = url(owner_database, user="with_password:wrong")
            assert_refused(manage(dsn, "migrate"), "waops.E001", "password authentication failed")
        finally:
            hba.write_text(trusting)
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("DROP ROLE with_password")


@pytest.mark.parametrize("path", ["public, waops", "public", "waops"])
@pytest.mark.parametrize("command", [["migrate"], ["runserver", "--noreload", "0"]])
def test_a_half_right_search_path_is_refused(
    manage: Manage, owner_database: str, path: str, command: list[str]
) -> None:
    with psycopg.connect(owner_database, autocommit=True) as connection:
        database = connection.info.dbname
        connection.execute(f"ALTER ROLE postgres IN DATABASE {database} SET search_path = {path}")
    result = manage(url(owner_database), *command, DATABASE_POOL_MODE="session")
    assert_refused(result, "waops.E002", path, "role_sql")
    with psycopg.connect(owner_database) as connection:
        assert connection.execute("SELECT to_regclass('public.django_migrations')").fetchone() == (None,)


def test_the_web_server_refuses_too(empty_database: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", "import waops.wsgi"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": url(empty_database), "SECRET_KEY": "x" * 50},
        capture_output=True,
        text=True,
        check=False,
    )
    assert_refused(result, "waops.E004")


def test_another_projects_migrations_in_public_are_refused(manage: Manage, owner_database: str) -> None:
    with psycopg.connect(owner_database) as connection:
        connection.execute("CREATE TABLE public.django_migrations ()")
    assert_refused(manage(url(owner_database), "migrate"), "waops.E003", "separate schema")


def test_a_role_that_sees_no_rows_is_warned(manage: Manage, server: EmbeddedServer, owner_database: str) -> None:
    database = conninfo.conninfo_to_dict(owner_database)["dbname"]
    with psycopg.connect(server.dsn(SUPERUSER, str(database)), autocommit=True) as connection:
        connection.execute("CREATE ROLE half_blind LOGIN")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO half_blind")
        try:
            result = manage(url(owner_database, user="half_blind"), "check", "--database", "default")
        finally:
            connection.execute("DROP OWNED BY half_blind")
            connection.execute("DROP ROLE half_blind")
    assert "waops.W001" in result.stderr
    assert "half_blind" in result.stderr
    assert "escalated_conversations" in result.stderr
