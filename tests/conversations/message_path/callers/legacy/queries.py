"""Run one query of the legacy path."""

from typing import Any

from django.db import connection

DOES_NOT_EXIST = "23503"
"""SQLSTATE of a foreign key that is broken."""


def fetch(query: str, *parameters: Any) -> tuple[Any, ...] | None:
    """The first row, if there is one."""
    with connection.cursor() as cursor:
        cursor.execute(query, _named(parameters))
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


def fetch_one(query: str, *parameters: Any) -> tuple[Any, ...]:
    """The only row of a query that always has one."""
    row = fetch(query, *parameters)
    if row is None:
        raise LookupError(query)
    return row


def fetch_value(query: str, *parameters: Any) -> Any:
    """The only column of the first row; None without one."""
    row = fetch(query, *parameters)
    return row and row[0]


def execute(query: str, *parameters: Any) -> int:
    """How many rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(query, _named(parameters))
        return int(cursor.rowcount)


def _named(parameters: tuple[Any, ...]) -> Any:
    """A single dict stands for itself: the query names its parameters."""
    return parameters[0] if len(parameters) == 1 and isinstance(parameters[0], dict) else parameters
