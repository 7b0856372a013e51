"""Validate requests to the quota pages."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.http import HttpRequest
from django.utils.translation import gettext as _

from waops.access.readers import may


class BadAddressError(Exception):
    """The address asks for something the page does not have."""

    def __init__(self, status: int, explanation: str) -> None:
        super().__init__(explanation)
        self.status, self.explanation = status, explanation


def require(request: HttpRequest, permission: str) -> None:
    if not may(request, permission):
        raise PermissionDenied


def valid(form: Any, request: HttpRequest) -> Any:
    if not form.is_valid():
        if searched := form.errors.get("q"):
            raise BadAddressError(400, searched[0])
        raise BadAddressError(
            400,
            _("This list has no such filter or filter value: %(query)s")
            % {"query": request.META.get("QUERY_STRING", "")[:200]},
        )
    return form


def page_of(rows: Sequence[Any], number: int | None, per_page: int = 50) -> Page[Any]:
    """The page of the rows that the address asks for; the first one by default."""
    paginator = Paginator(rows, per_page)
    number = 1 if number is None else number
    if not 1 <= number <= paginator.num_pages:
        raise BadAddressError(
            404,
            _("There is no page %(page)s: the last page is %(pages)s. Search or filter to find other rows.")
            % {"page": number, "pages": paginator.num_pages},
        )
    return paginator.page(number)
