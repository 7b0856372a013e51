"""Handle database outages: show a page that explains them, and log one line for the operators.

Reads are retried once if that can help: the connection was lost, another transaction was in the way, or a table has
moved within the last minute. Changes are never retried, because the first try may have been committed.
"""

import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template.loader import render_to_string
from django.views.defaults import server_error as plain_server_error

from waops.database import replica
from waops.database.errors import first_line, sqlstate
from waops.database.live_schema import forget_tables
from waops.database.unavailable import (
    BUSY,
    GONE,
    MISSING,
    READ_ONLY,
    SAFE_METHODS,
    page,
    trouble_of,
    what_was_saved,
)

logger = logging.getLogger(__name__)

IN_THE_WAY = ("40001", "40P01")
"""Cancelled in favour of another transaction, which is over now."""
UNDEFINED_COLUMN = "42703"


class DatabaseUnavailableMiddleware:
    """Responds when a view, or rendering its response, failed because of the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not _may_help_to_ask_again(request, error):
            return _answer(request, error)
        _log(request, error, "asking again")
        try:
            return _ask_again(request)
        except Exception as second:
            answer = _answer(request, second)
            if answer is None:
                raise
            return answer


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler for errors outside of views, such as a session that could not be saved."""
    error = sys.exc_info()[1]
    answer = _answer(request, error) if error else None
    if answer:
        return answer
    try:
        return HttpResponseServerError(render_to_string("500.html", what_was_saved(request)))
    except Exception:  # while rendering the template, for example
        return plain_server_error(request)


def _answer(request: HttpRequest, error: BaseException) -> HttpResponse | None:
    trouble = trouble_of(error)
    if trouble is None:
        return None
    _log(request, error)
    if trouble is READ_ONLY:
        _leave_server()
    return page(request, trouble)


def _may_help_to_ask_again(request: HttpRequest, error: Exception) -> bool:
    if request.method not in SAFE_METHODS or request.resolver_match is None:
        return False
    trouble, code = trouble_of(error), sqlstate(error)
    if replica.alias() == replica.ALIAS and trouble is not None:
        replica.watch.rest(error)
        return True
    if trouble is GONE:
        # A request without a connection has already waited for one long enough.
        return any(one.connection is not None and one.connection.closed for one in _open())
    return trouble is MISSING or code == UNDEFINED_COLUMN or (trouble is BUSY and code in IN_THE_WAY)


def _ask_again(request: HttpRequest) -> HttpResponse:
    """Run the view again on the primary, with a new connection if the old one is lost, and read again which
    tables exist.
    """
    for one in _open():
        if one.connection is not None and one.connection.closed:
            one.close()
    forget_tables()
    replica.leave()
    match = request.resolver_match
    assert match is not None
    response: Any = match.func(request, *match.args, **match.kwargs)
    if callable(getattr(response, "render", None)):
        response = response.render()
    return response  # type: ignore[no-any-return]


def _leave_server() -> None:
    """A pool would keep connections to a server that no longer accepts changes."""
    for one in _open():
        if one.connection is not None and not one.in_atomic_block:
            one.connection.close()
        if pool := getattr(one, "pool", None):
            pool.drain()


def _open() -> Sequence[BaseDatabaseWrapper]:
    return connections.all(initialized_only=True)


def _log(request: HttpRequest, error: BaseException, what_next: str = "") -> None:
    words = first_line(error)
    logger.error("%s %s: %s%s", request.method, request.path, words, f" ({what_next})" if what_next else "")
