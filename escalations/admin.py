"""The desk: the queue in place of the list of rows, a case's page in place of its form."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from escalations import bulk_actions, by_hand, case_actions, desk_pages, live
from escalations import settings_admin as settings_admin
from escalations.case import find_case
from escalations.criteria import Case
from escalations.desk_actions import ACTIONS
from escalations.models import Escalation
from escalations.pages import case_page, filters, older_messages, queue_page
from escalations.people import person
from waops.access_log import note_reading
from waops.admin.read_only import ReadOnlyAdmin


@admin.register(Escalation)
class EscalationAdmin(ReadOnlyAdmin):
    in_phone_bar = True

    def get_urls(self) -> list[URLPattern]:
        return [
            self.page("", self.changelist_view, "changelist"),
            self.page("filters/", self.filters_view, "filters"),
            *live.urls(self),
            *bulk_actions.urls(self),
            *desk_pages.urls(self),
            *by_hand.urls(self),
            *case_actions.urls(self),
            self.page("<path:object_id>/messages/", self.messages_view, "messages"),
            self.page("<path:object_id>/change/", self.change_view, "change"),
        ]

    def page(self, route: str, view: Any, name: str) -> URLPattern:
        """A page for whoever may see escalations; its actions ask for more."""

        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not self.has_view_permission(request):
                raise PermissionDenied
            response: HttpResponse = view(request, *args, **kwargs)
            return response

        pattern: URLPattern = path(route, self.admin_site.admin_view(checked), name=f"escalations_escalation_{name}")
        return pattern

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return self.show(request, "escalations/queue.html", lambda: queue_page(request))

    def filters_view(self, request: HttpRequest) -> HttpResponse:
        """Part of a page: the queue's filters with their choices."""
        return self.show(request, "escalations/filters.html", lambda: filters(request))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        case = self.case(object_id)
        if case is None:
            return self.no_case(request, object_id)
        note_reading(request, "escalations.escalation", case.pk)
        return self.show_case(request, case)

    def messages_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Part of a page: older messages of a case's conversation."""
        case = self.case(object_id)
        if case is None:
            return self.no_case(request, object_id)
        note_reading(request, "escalations.escalation", case.pk)
        return self.show(request, "escalations/older_messages.html", lambda: older_messages(request, case))

    def case(self, object_id: str) -> Case | None:
        pk = uuid_of(object_id)
        return find_case(pk) if pk else None

    def show_case(self, request: HttpRequest, case: Case, *, draft: str = "", status: int = 200) -> HttpResponse:
        """A case's page; `draft` is a note that was not accepted, to be sent again."""
        return self.show(
            request, "escalations/case.html", lambda: case_page(request, case) | {"draft": draft}, status=status
        )

    def no_case(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)

    def show(
        self, request: HttpRequest, template: str, read: Callable[[], dict[str, Any]], *, status: int = 200
    ) -> HttpResponse:
        """A page of the desk with what `read` gives; where that raises BadRequest, a page that says why."""
        try:
            content = read()
        except BadRequest as error:
            title = _("This address cannot be shown")
            return self._error_page(request, 400, title, str(error), back=request.path)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": capfirst(self.opts.verbose_name_plural),
            "may": {name.replace("-", "_"): action.is_allowed(request.user) for name, action in ACTIONS.items()}
            | {"override": person(request).has_perm("escalations.override_escalation")},
            **content,
        }
        return TemplateResponse(request, template, context, status=status)


def uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
