"""Error pages in the reader's language, even if the error came before it was known."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language_from_request, override
from django.views import defaults

from waops.database import middleware


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    with override(get_language_from_request(request)):
        return defaults.bad_request(request, exception)


def server_error(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    with override(get_language_from_request(request)):
        return middleware.server_error(request)
