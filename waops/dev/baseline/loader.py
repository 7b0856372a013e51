"""Load the baseline: Supabase's own objects as the superuser, then the service's as the owner of its tables."""

from pathlib import Path
from typing import Literal

import psycopg
from django.utils.translation import gettext as _
from psycopg import sql

from waops.dev.baseline.owner import establish_owner

Variant = Literal["before", "after"]

SQL = Path(__file__).parent / "sql"

FIND_CONTENT = """
    SELECT format('schema %I', nspname) FROM pg_catalog.pg_namespace WHERE nspname IN ('auth', 'waops')
    UNION ALL
    SELECT format('public.%I', relname) FROM pg_catalog.pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT format('public.%I()', proname) FROM pg_catalog.pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT format('type public.%I', typname) FROM pg_catalog.pg_type
    WHERE typnamespace = 'public'::regnamespace AND typtype IN ('d', 'e')
    LIMIT 1
"""


class BaselineError(Exception):
    """The baseline was not loaded, and the database is unchanged."""


class DatabaseNotEmpty(BaselineError):  # noqa: N818
    """The database is not empty: it has relations, functions or types in `public`, or a schema `auth` or
    `waops`.

    The baseline never mixes with existing objects, which may be a real project. Create an empty database and load it
    there.
    """

    def __init__(self, database: str, found: str) -> None:
        super().__init__(
            _(
                "Database “%(database)s” is not empty: it contains %(found)s. Nothing was changed. Create an empty "
                "database, point DATABASE_URL at it, and load the baseline there."
            )
            % {"database": database, "found": found}
        )


class SuperuserNeeded(BaselineError):  # noqa: N818
    """The connection's role is not a superuser, so it could not create roles, extensions and other roles' objects.

    Connect as the server's superuser (`supabase_admin` on the embedded server) to load; the app itself never needs it.
    """

    def __init__(self, user: str) -> None:
        super().__init__(
            _(
                "Role “%(user)s” is not a superuser, but the baseline creates roles, and schemas of several owners. "
                "Connect as the server's superuser to load it; the app itself does not need that role."
            )
            % {"user": user}
        )


def load(
    connection: psycopg.Connection,
    variant: Variant = "before",
    *,
    optional_tables: bool = True,
    older: bool = False,
) -> None:
    """Load the baseline into the connection's empty database, in one transaction.

    `variant`: the deployed database before the plan, or after it, with the plan's indexes and functions.
    `optional_tables`: support_team_numbers and customer_profiles, which some deployments lack. `older`:
    whatsapp_instances.escalation_threshold, and the older CHECK on escalation reasons. Raises SuperuserNeeded,
    DatabaseNotEmpty.
    """
    chosen = {"tables": True, "optional": optional_tables, "older": older, "functions": True, variant: True}
    with connection.transaction():
        refuse_unfit(connection)
        connection.execute("SET LOCAL search_path = public, extensions")
        run_folder(connection, "platform")
        owner = establish_owner(connection)
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(owner)))
        for folder, wanted in chosen.items():
            if wanted:
                run_folder(connection, folder)
        # If the caller has an open transaction, it continues as the superuser.
        connection.execute("SET LOCAL ROLE NONE")


def refuse_unfit(connection: psycopg.Connection) -> None:
    """Raise unless the connection is a superuser's and the database is empty."""
    superuser = connection.execute("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user").fetchone()
    if superuser != (True,):
        raise SuperuserNeeded(connection.info.user)
    found = connection.execute(FIND_CONTENT).fetchone()
    if found is not None:
        raise DatabaseNotEmpty(connection.info.dbname, found[0])


def run_folder(connection: psycopg.Connection, folder: str) -> None:
    """Execute the folder's files in name order. Each is sent as one text: it may contain several statements."""
    for path in sorted((SQL / folder).glob("*.sql")):
        connection.execute(path.read_bytes())
