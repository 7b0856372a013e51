"""A database that is away is the operator's trouble, not the reader's: a page that says so, and one log line."""

import logging
from collections.abc import Callable

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from waops.embedded import EmbeddedServerError

logger = logging.getLogger(__name__)

UNREACHABLE = ("08", "28", "3D", "53", "57P")
"""Beginnings of SQLSTATEs: connection lost, refused, no such database, no room, shut down. Libpq gives none at all."""

BUSY = ("57014", "55P03", "40P01")
"""Cancelled by a timeout, a lock not had in time, a deadlock."""


class DatabaseUnavailableMiddleware:
    """Answers 503 where a view failed because the database is away or too busy. Reads nothing from it for that."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        template = template_for(error)
        if template is None:
            return None
        logger.error("%s %s: %s", request.method, request.path, " ".join(str(error).split()))
        return HttpResponse(render_to_string(template), status=503, headers={"Retry-After": "30"})


def template_for(error: Exception) -> str | None:
    """The page for an error of the database that is nobody's mistake; None for any other error."""
    if isinstance(error, EmbeddedServerError):
        return "503.html"
    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    cause = error.__cause__
    sqlstate = cause.sqlstate if isinstance(cause, psycopg.Error) else None
    if sqlstate in BUSY:
        return "503_busy.html"
    if sqlstate is None:
        return "503.html" if isinstance(error, OperationalError | InterfaceError) else None
    return "503.html" if sqlstate.startswith(UNREACHABLE) else None
