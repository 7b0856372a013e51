"""Call database functions in one round trip each, with the legacy path as fallback.

A caller's mistake is CallRefused, on both paths. A broken function is logged, counted as an Incident, and the legacy
path is used. Everything else (no connection, a deadlock, a full disk) stays a DatabaseError.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar, overload
from uuid import UUID

from django.db import DatabaseError, connection, transaction

from waops.database import incidents
from waops.database.errors import first_line, sqlstate
from waops.database.flags import uses_function

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

BROKEN = frozenset({"0A", "2F", "38", "39", "3F", "42", "XX"})
"""SQLSTATE classes that no argument can cause: feature not supported, the three of external and SQL
routines, invalid schema, syntax error or access rule violation (including undefined and forbidden
objects), and internal error.
"""
REFUSED = frozenset({"22", "23"})
"""SQLSTATE classes that arguments do cause: data exception, and integrity constraint violation."""

NULL_NOT_ALLOWED = "22004"
INVALID_ARGUMENT = "22023"
INVALID_TEXT = "22021"
INVALID_UUID = "22P02"

SAVEPOINT = "waops_call"


class CallRefused(ValueError):  # noqa: N818
    """The call itself is wrong, and nothing was stored. `sqlstate` is the one the function raises."""

    def __init__(self, message: str, sqlstate: str) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


def procedure(old: Callable[P, R]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate the caller of the database function with the same name, to choose between it and the legacy
    path `old`.

    Both must accept and return the same. Texts that Postgres cannot store raise CallRefused before anything is sent.
    """

    def decorate(new: Callable[P, R]) -> Callable[P, R]:
        name = new.__name__

        @wraps(new)
        def choose(*args: P.args, **kwargs: P.kwargs) -> R:
            refuse_unstorable((args, kwargs))
            if uses_function(name):
                try:
                    return new(*args, **kwargs)
                except DatabaseError as error:
                    raise_unless_broken(error)
                    report(name, error)
            try:
                return old(*args, **kwargs)
            except DatabaseError as error:
                raise_refusal(error)
                raise

        return choose

    return decorate


def call(expression: str, *arguments: Any) -> Any:
    """The result of a function call, such as `public.f(%s::uuid)`, in one round trip.

    In a transaction, a failure undoes only the call and the transaction can continue. The savepoint this takes travels
    in the same message.
    """
    query = f"SELECT {expression}"
    with connection.cursor() as cursor:
        if not connection.in_atomic_block:
            cursor.execute(query, arguments)
            return cursor.fetchone()[0]
        try:
            cursor.execute(f"SAVEPOINT {SAVEPOINT}; {query}; RELEASE SAVEPOINT {SAVEPOINT}", arguments)
        except DatabaseError:
            if connection.connection is None or connection.connection.closed:
                raise
            cursor.execute(f"ROLLBACK TO SAVEPOINT {SAVEPOINT}; RELEASE SAVEPOINT {SAVEPOINT}")
            raise
        cursor.nextset()
        return cursor.fetchone()[0]


def raise_refusal(error: DatabaseError) -> None:
    """Raise CallRefused if the caller is to blame."""
    state = sqlstate(error) or ""
    if state[:2] in REFUSED:
        raise CallRefused(first_line(error), state) from error


def raise_unless_broken(error: DatabaseError) -> None:
    """Return only if the function is to blame. Otherwise raises CallRefused, or `error` itself."""
    raise_refusal(error)
    if (sqlstate(error) or "")[:2] not in BROKEN:
        raise error


def report(name: str, error: DatabaseError) -> None:
    """Log and count that the function `name` is broken."""
    logger.warning("%s failed (%s), so the legacy path is used: %s", name, sqlstate(error), first_line(error))
    try:
        with transaction.atomic():  # a failure to count must not abort the caller's transaction
            incidents.record(name, incidents.Incident.Kind.FALLBACK, sqlstate(error) or "")
    except DatabaseError as uncounted:
        logger.warning("The failure of %s was not counted: %s", name, first_line(uncounted))


def refuse_unstorable(value: object) -> None:
    """Raise CallRefused if `value` contains, at any depth, a text that Postgres cannot store: NUL or half a
    surrogate pair.
    """
    if isinstance(value, str):
        if "\0" in value:
            raise CallRefused("A text must not contain the character NUL", INVALID_TEXT)
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise CallRefused(f"A text is not valid Unicode: {error.reason}", INVALID_TEXT) from error
    elif isinstance(value, Mapping):
        refuse_unstorable([*value.keys(), *value.values()])
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for item in value:
            refuse_unstorable(item)


@overload
def as_uuid(value: UUID | str) -> UUID: ...
@overload
def as_uuid(value: None) -> None: ...
def as_uuid(value: UUID | str | None) -> UUID | None:
    """Raises CallRefused for anything that is not a UUID; None stays None."""
    if value is None or isinstance(value, UUID):
        return value
    try:
        return UUID(value)
    except (AttributeError, TypeError, ValueError) as error:
        raise CallRefused(f"Not a UUID: {value!r:.50}", INVALID_UUID) from error
