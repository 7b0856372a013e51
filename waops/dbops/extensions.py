"""Extensions of the server."""

from django.db.backends.base.base import BaseDatabaseWrapper

from waops.database.fetch import fetch_value

HAS_SCHEMA = "SELECT pg_catalog.to_regnamespace('extensions') IS NOT NULL"


def create_extension(connection: BaseDatabaseWrapper, name: str) -> str:
    """The statement that installs an extension: in Supabase's schema for extensions or, on another server, in the
    default schema.
    """
    place = " WITH SCHEMA extensions" if fetch_value(connection, HAS_SCHEMA) else ""
    return f"CREATE EXTENSION IF NOT EXISTS {name}{place};"
