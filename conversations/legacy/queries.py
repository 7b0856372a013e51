"""Run one query of the old path."""

from typing import Any

from django.db import connection


def fetch(query: str, *parameters: Any) -> tuple[Any, ...] | None:
    """The first row, if there is one."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
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
        cursor.execute(query, parameters)
        return int(cursor.rowcount)
