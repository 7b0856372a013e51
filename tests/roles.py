"""The roles that `role_sql` prints: the one the app is served as in production, and the one that migrates."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import psycopg
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from waops.dev.embedded.server import OWNER, SUPERUSER


@contextmanager
def least_role(owner_dsn: str, name: str) -> Iterator[str]:
    """DSN as the app's role, made by the tables' owner; Django uses the same database."""
    with _printed(owner_dsn, name, only="app") as dsn:
        yield dsn


@contextmanager
def migrator_role(owner_dsn: str, name: str) -> Iterator[str]:
    """As `least_role`, of the role that acts as the owner."""
    with _printed(owner_dsn, name, only="migrator") as dsn:
        yield dsn


@contextmanager
def _printed(owner_dsn: str, name: str, *, only: str) -> Iterator[str]:
    output = StringIO()
    call_command("role_sql", only=only, name=name, migrator=name, stdout=output)
    owner = sql.Identifier(OWNER)
    with psycopg.connect(owner_dsn, user=SUPERUSER) as superuser:
        # Before Postgres 16 the owner's BYPASSRLS cannot be passed on, since then its own membership cannot.
        superuser.execute(sql.SQL("ALTER ROLE {} SUPERUSER").format(owner))
    try:
        with psycopg.connect(owner_dsn) as session:
            session.execute(output.getvalue())  # type: ignore[arg-type]
    finally:
        with psycopg.connect(owner_dsn, user=SUPERUSER) as superuser:
            superuser.execute(sql.SQL("ALTER ROLE {} NOSUPERUSER").format(owner))
    yield psycopg.conninfo.make_conninfo(owner_dsn, user=name)
    connection.close()
    with psycopg.connect(owner_dsn, user=SUPERUSER) as superuser:
        superuser.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(name)))


@contextmanager
def django_is(role: str) -> Iterator[None]:
    """Django's default connection signs in as that role."""
    usual = connection.settings_dict["USER"]
    connection.close()
    connection.settings_dict["USER"] = role
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["USER"] = usual
