"""The role that the app is served as in production."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import psycopg
from django.core.management import call_command
from psycopg import sql

from waops.embedded.server import SUPERUSER


@contextmanager
def least_role(owner_dsn: str, name: str) -> Iterator[str]:
    """DSN as the role that `role_sql` prints, made by the tables' owner; Django uses the same database."""
    output = StringIO()
    call_command("role_sql", name=name, stdout=output)
    with psycopg.connect(owner_dsn, user=SUPERUSER) as superuser:
        # The owner's BYPASSRLS cannot be passed on before Postgres 16; on Supabase it can.
        superuser.execute("ALTER ROLE postgres SUPERUSER")
    try:
        with psycopg.connect(owner_dsn) as owner:
            owner.execute(output.getvalue())
    finally:
        with psycopg.connect(owner_dsn, user=SUPERUSER) as superuser:
            superuser.execute("ALTER ROLE postgres NOSUPERUSER")
    yield psycopg.conninfo.make_conninfo(owner_dsn, user=name)
    with psycopg.connect(owner_dsn, user=SUPERUSER) as superuser:
        superuser.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(name)))
