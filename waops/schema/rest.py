"""PostgREST, which exposes the database's functions over REST."""

from django.db.backends.base.base import BaseDatabaseWrapper

from waops.database.fetch import execute


def reload_rest_schema(connection: BaseDatabaseWrapper) -> None:
    """Tell PostgREST to reload the schema; otherwise it keeps calling functions with their old arguments.

    Supabase has an event trigger for this, other installations do not. Without a listener nothing happens.
    """
    execute(connection, "NOTIFY pgrst, 'reload schema'")
