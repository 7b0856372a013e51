"""The page of numbers and its export."""

from typing import TYPE_CHECKING

from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import URLPattern

from escalations.numbers.export import csv_lines
from escalations.numbers.page import numbers_page, read_scope
from waops.access import may
from waops.access_log import note_export

if TYPE_CHECKING:
    from escalations.admin import EscalationAdmin

TEMPLATE = "escalations/numbers/numbers.html"


def urls(desk: "EscalationAdmin") -> list[URLPattern]:
    def numbers(request: HttpRequest) -> HttpResponse:
        return desk.show(request, TEMPLATE, lambda: numbers_page(request))

    def export(request: HttpRequest) -> HttpResponseBase:
        """Where the address asks for what cannot be, the page that says so."""
        if not may(request, "escalations.export_escalation"):
            raise PermissionDenied
        try:
            _form, scope = read_scope(request)
        except BadRequest:
            return numbers(request)
        note_export(request, "escalations.escalation")
        period = scope.period
        return StreamingHttpResponse(
            csv_lines(scope),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="cases-{period.first}-{period.last}.csv"'},
        )

    return [desk.page("numbers/", numbers, "numbers"), desk.page("numbers/cases.csv", export, "export")]
