"""Send one statement, read one row."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


def execute(connection: BaseDatabaseWrapper, sql: str) -> None:
    """As it is written: a `%` in it is a per cent sign."""
    with connection.cursor() as cursor:
        cursor.execute(sql)


def fetch_one(connection: BaseDatabaseWrapper, query: str, *parameters: str) -> Any:
    """The first row, None if there is none."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchone()
