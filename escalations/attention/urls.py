"""The page of what needs attention, and its remedies."""

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from escalations.attention import remedies
from escalations.attention.findings import SHOWN, Kind
from escalations.attention.queries import find_all, fresh_count
from waops.access import may

if TYPE_CHECKING:
    from escalations.admin import EscalationAdmin

PAGE = "admin:escalations_escalation_attention"


def urls(desk: "EscalationAdmin") -> list[URLPattern]:
    def attention(request: HttpRequest) -> HttpResponse:
        return desk.show(request, "escalations/attention/attention.html", lambda: attention_page(request))

    return [
        desk.page("attention/", attention, "attention"),
        desk.page("attention/count/", count, "attention_count"),
        desk.page("attention/<slug:kind>/", remedy, "remedy"),
    ]


def count(request: HttpRequest) -> HttpResponse:
    """Part of a page: how many things need attention; nothing if none does."""
    return HttpResponse(fresh_count(), content_type="text/plain; charset=utf-8")


def attention_page(request: HttpRequest) -> dict[str, Any]:
    findings = [finding for finding in find_all() if finding.items]
    return {"findings": [(finding, may(request, finding.kind.permission)) for finding in findings]}


def remedy(request: HttpRequest, kind: str) -> HttpResponse:
    """Cure the items that the form names. Whoever signs in again on the way arrives with GET, which changes nothing."""
    try:
        found = Kind.of(kind)
    except ValueError:
        raise Http404 from None
    if not may(request, found.permission):
        raise PermissionDenied
    keys = request.POST.getlist("item")[:SHOWN]
    if request.method == "POST" and keys:
        try:
            cured = remedies.apply(found, keys, request.user)  # type: ignore[arg-type]
        except ValueError as error:
            raise BadRequest("Not the name of something found.") from error
        _announce(request, len(keys), cured)
    return redirect(PAGE)


def _announce(request: HttpRequest, asked: int, cured: int) -> None:
    if cured:
        text = ngettext("%(count)d set right.", "%(count)d set right.", cured)
        messages.success(request, text % {"count": cured})
    if left := asked - cured:
        text = ngettext(
            "%(count)d was left as it is: somebody else has it, has done it already, or a note is needed to close it.",
            "%(count)d were left as they are: somebody else has them, has done it already, or a note is needed to "
            "close them.",
            left,
        )
        messages.warning(request, text % {"count": left})
    if not asked:
        messages.warning(request, _("Nothing was selected."))
