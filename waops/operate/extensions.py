"""Extensions of the server."""

from django.db.backends.base.base import BaseDatabaseWrapper

from waops.operate.reading import fetch_value

HAS_SCHEMA = "SELECT pg_catalog.to_regnamespace('extensions') IS NOT NULL"


def create_extension(connection: BaseDatabaseWrapper, name: str) -> str:
    """The statement that installs it where Supabase has its extensions, or, on another server, where they fall."""
    place = " WITH SCHEMA extensions" if fetch_value(connection, HAS_SCHEMA) else ""
    return f"CREATE EXTENSION IF NOT EXISTS {name}{place};"
