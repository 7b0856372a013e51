"""Give errors without a page one of ours; browsers would show their own, in the browser's language."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string

PAGES = {403: "403.html", 404: "404.html", 405: "405.html"}


class EmptyErrorMiddleware:
    """Shows our page for an error without one. Comes after LocaleMiddleware, which sets the reader's language."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code >= 400 and isinstance(response, HttpResponse) and not response.content:
            template = PAGES.get(response.status_code, "400.html")
            response.content = render_to_string(template, request=request).encode()
            response["Content-Type"] = "text/html; charset=utf-8"
        return response
