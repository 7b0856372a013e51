"""The desk: the queue in place of the list of rows, a case's page in place of its form."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from escalations.announcements import announce
from escalations.case import find_case
from escalations.models import Escalation
from escalations.pages import case_page, queue_page
from escalations.procedures import Outcome, resolve
from waops.admin.read_only import ReadOnlyAdmin


@admin.register(Escalation)
class EscalationAdmin(ReadOnlyAdmin):
    in_phone_bar = True

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Any, name: str) -> URLPattern:
            pattern: URLPattern = path(route, self.admin_site.admin_view(view), name=f"escalations_escalation_{name}")
            return pattern

        return [
            page("", self.changelist_view, "changelist"),
            page("resolve/", self.resolve_selected_view, "resolve_selected"),
            page("<path:object_id>/resolve/", self.resolve_view, "resolve"),
            page("<path:object_id>/change/", self.change_view, "change"),
        ]

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("escalations.resolve_escalation")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        _require(self.has_view_permission(request))
        return self._page(request, "escalations/queue.html", lambda: queue_page(request))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        _require(self.has_view_permission(request))
        pk = _uuid(object_id)
        case = find_case(pk) if pk else None
        if case is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return self._page(request, "escalations/case.html", lambda: case_page(request, case))

    def resolve_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Resolve one case, then show it again: it says who resolved it, and offers the next.

        Whoever signs in again on the way arrives with GET, which changes nothing.
        """
        _require(self.has_resolve_permission(request))
        pk = _uuid(object_id)
        if request.method == "POST" and pk:
            results = resolve([pk], request.user)
            if results[0].outcome is Outcome.NOT_FOUND:
                pk = None
            else:
                announce(request, results)
        if pk is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return redirect("admin:escalations_escalation_change", pk)

    def resolve_selected_view(self, request: HttpRequest) -> HttpResponse:
        """Resolve the cases ticked in the queue; the queue then begins with the next."""
        _require(self.has_resolve_permission(request))
        ids = [_uuid(value) for value in request.POST.getlist("case")]
        if None in ids:
            raise BadRequest("Not the id of an escalation.")
        if ids:
            announce(request, resolve(filter(None, ids), request.user))
        elif request.method == "POST":
            messages.error(request, _("Select the escalations to resolve first."))
        return redirect("admin:escalations_escalation_changelist")

    def _page(self, request: HttpRequest, template: str, read: Callable[[], dict[str, Any]]) -> HttpResponse:
        try:
            content = read()
        except BadRequest as error:
            title = _("This address cannot be shown")
            return self._error_page(request, 400, title, str(error), back=request.path)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": capfirst(self.opts.verbose_name_plural),
            "may_resolve": self.has_resolve_permission(request),
            **content,
        }
        return TemplateResponse(request, template, context)


def _require(permission: bool) -> None:
    if not permission:
        raise PermissionDenied


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
