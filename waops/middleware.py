"""A database that does not do its part is the operator's trouble, not the reader's: a page that says so, one log line.

What only reads is tried once more where that can help: the connection was lost, another transaction was in the way, or
a table is not where it was a minute ago. What changes something never is: its first try may have been committed.
"""

import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, HttpResponse
from django.views.defaults import server_error as plain_server_error

from waops import replica
from waops.live_schema import forget_tables
from waops.unavailable import BUSY, GONE, MISSING, READ_ONLY, SAFE_METHODS, page, sqlstate_of, trouble_of, words_of

logger = logging.getLogger(__name__)

IN_THE_WAY = ("40001", "40P01")
"""Ended for another transaction's sake, which is over now."""
UNDEFINED_COLUMN = "42703"


class DatabaseUnavailableMiddleware:
    """Answers where a view, or the rendering of its answer, failed because of the database."""

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
    """Django's handler of errors outside of views: a session that could not be saved, say."""
    error = sys.exc_info()[1]
    answer = _answer(request, error) if error else None
    return answer or plain_server_error(request)


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
    trouble, code = trouble_of(error), sqlstate_of(error)
    if replica.alias() == replica.ALIAS and trouble is not None:
        replica.watch.rest(error)
        return True
    if trouble is GONE:
        # Whoever had no connection has waited for one long enough.
        return any(one.connection is not None and one.connection.closed for one in _open())
    return trouble is MISSING or code == UNDEFINED_COLUMN or (trouble is BUSY and code in IN_THE_WAY)


def _ask_again(request: HttpRequest) -> HttpResponse:
    """The view, from the primary, on a new connection where the old one is lost, with a new look at which tables there
    are."""
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
    """A pool would keep connections to a server that is no longer the one that takes changes."""
    for one in _open():
        if one.connection is not None and not one.in_atomic_block:
            one.connection.close()
        if pool := getattr(one, "pool", None):
            pool.drain()


def _open() -> Sequence[BaseDatabaseWrapper]:
    return connections.all(initialized_only=True)


def _log(request: HttpRequest, error: BaseException, what_next: str = "") -> None:
    words = words_of(error)
    logger.error("%s %s: %s%s", request.method, request.path, words, f" ({what_next})" if what_next else "")
