"""The search page's address."""

from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from escalations.search.page import search_page

if TYPE_CHECKING:
    from escalations.admin import EscalationAdmin


def urls(desk: "EscalationAdmin") -> list[URLPattern]:
    def search(request: HttpRequest) -> HttpResponse:
        return desk.show(request, "escalations/search/search.html", lambda: search_page(request))

    return [desk.page("search/", search, "search")]
