"""Run one statement on the given connection and read its rows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from django.db.backends.base.base import BaseDatabaseWrapper

Row = TypeVar("Row")
Parameters = Sequence[Any] | Mapping[str, Any] | None


def execute(connection: BaseDatabaseWrapper, sql: str) -> None:
    """Send the text as it is: a `%` is not a placeholder."""
    with connection.cursor() as cursor:
        cursor.execute(sql)


def fetch(
    connection: BaseDatabaseWrapper, row: Callable[..., Row], query: str, parameters: Parameters = None
) -> list[Row]:
    """The query's rows, each passed to `row` by position."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return [row(*values) for values in cursor.fetchall()]


def fetch_one(connection: BaseDatabaseWrapper, query: str, *parameters: Any) -> Any:
    """The first row; None if there is no row."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchone()


def fetch_value(connection: BaseDatabaseWrapper, query: str, parameters: Parameters = None) -> Any:
    """The first column of the first row; None if there is no row."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        row = cursor.fetchone()
    return row and row[0]
