"""Create the app's schema before Django looks for its tables."""

from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from waops.database.engine.base import DatabaseWrapper


def prepare_schema(connection: "DatabaseWrapper") -> None:
    """Create the app's schema if it is missing, accessible only to its owner.

    Needs CREATE on the database only if the schema is missing. Must run before anything creates tables: without the
    schema, the search path would put them into `public`.
    """
    schema = connection.ops.quote_name(settings.APP_SCHEMA)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.to_regnamespace(%s) IS NULL", [settings.APP_SCHEMA])
        if cursor.fetchone() == (True,):
            cursor.execute(f"CREATE SCHEMA {schema}")
            cursor.execute(f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC")
