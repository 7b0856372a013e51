"""Give every request an id, shown in its response and log lines, and log one line for it."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from waops.serving.client_address import client_address
from waops.serving.logs import request_id

HEALTH = "/healthz"
PROBES = (HEALTH, "/readyz")
"""Addresses of the probes, which are called too often to log."""

logger = logging.getLogger(__name__)

current_request: ContextVar[HttpRequest | None] = ContextVar("current_request", default=None)
"""For code far from the view that must know the request; None outside of one."""

HEADER = "X-Request-ID"
SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}", re.ASCII)
"""Ids accepted from a proxy or caller. Others could forge or flood log lines."""


class RequestMiddleware:
    """Gives a request its id and logs it. Comes before all other middleware, so that their log lines belong to the
    request.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.headers.get(HEADER, "")
        token = offered if SANE.fullmatch(offered) else uuid.uuid4().hex
        request_id.set(token)
        current_request.set(request)
        started = time.monotonic()
        response = self.get_response(request)
        response.headers[HEADER] = token
        _log(request, response, time.monotonic() - started)
        return response


@receiver(request_finished)
def forget_request(**kwargs: Any) -> None:
    """Runs after the response, because Django logs an error's status after all middleware has responded."""
    request_id.set("")
    current_request.set(None)


def _log(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    """Without the query string: people search for customers' numbers and words."""
    fields = {
        "method": request.method,
        "path": request.path,
        "status": response.status_code,
        "milliseconds": round(seconds * 1000),
        "user": _user_id(request),
        "address": client_address(request),
    }
    is_routine = request.path in PROBES or request.path.startswith(settings.STATIC_URL)
    level = logging.DEBUG if is_routine and response.status_code < 400 else logging.INFO
    message = "{method} {path} {status} {milliseconds} ms".format_map(fields)
    logger.log(level, "%s", message, extra=fields)


def _user_id(request: HttpRequest) -> str | None:
    """Id of the logged-in user, if a page has loaded it. Uses no database, which may be what failed."""
    user = getattr(request, "_cached_user", None)  # where Django's middleware stores the user it has loaded
    return None if user is None or user.pk is None else str(user.pk)
