"""Every request has an id, which its answer and its log lines carry, and leaves one line in the log."""

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
from waops.serving.probes import PROBES

logger = logging.getLogger(__name__)

current_request: ContextVar[HttpRequest | None] = ContextVar("current_request", default=None)
"""For what is far from the view and must say who asked; None outside a request."""

HEADER = "X-Request-ID"
SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}", re.ASCII)
"""Ids that we take over from a proxy or a caller. Others could forge log lines, or fill them."""


class RequestMiddleware:
    """Stands before all others, so that theirs are also lines of the request."""

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
    """Not before: Django logs an error's status after all middleware has answered."""
    request_id.set("")
    current_request.set(None)


def _log(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    """Without the query string: people search for numbers and words of customers."""
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
    """Of whoever is logged in, if a page had to know. Asks no database, which may be what the page failed on."""
    user = getattr(request, "_cached_user", None)  # where Django's middleware keeps whom it has looked up
    return None if user is None or user.pk is None else str(user.pk)
