"""What the quota views ask of a request before they answer it."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext as _

from waops.access import may


class BadAddressError(Exception):
    """The address asks for what the page does not have."""

    def __init__(self, status: int, explanation: str) -> None:
        super().__init__(explanation)
        self.status, self.explanation = status, explanation


def require(request: HttpRequest, permission: str) -> None:
    if not may(request, permission):
        raise PermissionDenied


def valid(form: Any, request: HttpRequest) -> Any:
    if not form.is_valid():
        raise BadAddressError(
            400,
            _("The address holds a filter, or a value of one, that this list does not know: %(query)s")
            % {"query": request.META.get("QUERY_STRING", "")[:200]},
        )
    return form
