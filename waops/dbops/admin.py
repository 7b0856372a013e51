"""The operations pages, within the admin: one address per page and small POST forms, without tables."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from waffle import admin as flags_admin  # noqa: F401 registers what is unregistered here
from waffle.models import Flag, Switch

from waops.admin.drafts import sent_from
from waops.admin.once import Done, once, say_twice
from waops.database.fetch import fetch_value
from waops.dbops import drift
from waops.dbops.checklist import tick
from waops.dbops.connections import report_connections
from waops.dbops.figures import moment
from waops.dbops.models import Backup, Operations
from waops.dbops.pages import PAGES, TABS, Content, Page
from waops.dbops.report import as_markdown, report
from waops.dbops.rollout import set_percent, set_trace
from waops.dbops.snapshots import keep_figures, time_commits

# Only samples control anything: the rollout of a function.
admin.site.unregister([Flag, Switch])

View = Callable[..., HttpResponse]


@admin.register(Operations)
class OperationsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Needs `view_operations` to read; recording, ticking and accepting need `change_operations`."""

    navigation, icon = "work", "operations"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        pages = [
            path("" if number == 0 else f"{page.name}/", self._guarded(partial(self.page_view, page=page)), name=name)
            for number, page in enumerate(PAGES)
            for name in ["waops_operations_changelist" if number == 0 else f"waops_operations_{page.name}"]
        ]
        actions: dict[str, View] = {
            "checklist/tick": self.tick_view,
            "checklist/backup": self.backup_view,
            "snapshots/take": self.snapshot_view,
            "drift/accept": self.accept_view,
            "connections/terminate": self.terminate_view,
            "functions/percent": self.percent_view,
            "functions/trace": self.trace_view,
        }
        return [
            *pages,
            *(
                path(f"{address}/", self._guarded(view), name=f"waops_operations_{address.replace('/', '_')}")
                for address, view in actions.items()
            ),
            path("report/", self._guarded(self.report_view), name="waops_operations_report"),
            path("report.md", self._guarded(self.markdown_view), name="waops_operations_markdown"),
        ]

    def _guarded(self, view: View) -> View:
        def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if not self.has_view_permission(request):
                raise PermissionDenied
            try:
                return view(request, **kwargs)
            except BadRequest as error:
                return self._error(request, 400, _("This address does not work"), str(error))
            except DatabaseError as error:
                return self._error(request, 503, _("The database did not respond in time"), str(error).strip())

        return self.admin_site.admin_view(guarded)

    def _error(self, request: HttpRequest, status: int, title: str, explanation: str) -> HttpResponse:
        site: Any = self.admin_site
        response: HttpResponse = site.error_page(request, status, title, explanation)
        return response

    def page_view(self, request: HttpRequest, page: Page) -> HttpResponse:
        content = page.content(request)
        return TemplateResponse(request, page.template, self._context(request, page, content))

    def _context(self, request: HttpRequest, page: Page, content: Content) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": page.title,
            "opts": self.opts,
            "page": page,
            "tabs": tabs_of(page),
            "findings": content.urgent,
            "notes": content.notes,
            "figures": content.figures,
            "may_change": self.has_change_permission(request),
            "may_terminate": settings.OPERATIONS_ALLOW_TERMINATE and self.has_change_permission(request),
            **content.extra,
        }

    def report_view(self, request: HttpRequest) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "title": _("Before and after"), "figures": report()}
        return TemplateResponse(request, "waops/dbops/report.html", context)

    def markdown_view(self, request: HttpRequest) -> HttpResponse:
        headers = {"Content-Disposition": 'attachment; filename="before-and-after.md"'}
        return HttpResponse(as_markdown(report()), content_type="text/markdown; charset=utf-8", headers=headers)

    @method_decorator(sent_from("admin:waops_operations_checklist"))
    def tick_view(self, request: HttpRequest) -> HttpResponse:
        self._require_change(request)
        key, done = request.POST.get("item", ""), request.POST.get("done") == "1"
        note = request.POST.get("note", "").strip()[:2000]
        try:
            _once(request, partial(tick, key, done=done, note=note, by=_person(request)))
        except LookupError as error:
            raise BadRequest(_("“%(item)s” cannot be ticked by a person.") % {"item": key[:50]}) from error
        except ValueError as error:
            raise BadRequest(str(error)) from error
        return self._back("checklist")

    @method_decorator(sent_from("admin:waops_operations_checklist"))
    def backup_view(self, request: HttpRequest) -> HttpResponse:
        self._require_change(request)
        note = request.POST.get("note", "").strip()[:2000]
        if not note:
            raise BadRequest(_("Enter where the backup is stored."))
        name = _person(request).name
        values = {"taken_at": timezone.now(), "kind": Backup.Kind.ENTERED, "note": note, "recorded_by": name}
        if _once(request, partial(Backup.objects.create, **values)):
            messages.success(request, _("The backup was recorded."))
        return self._back("checklist")

    @method_decorator(sent_from("admin:waops_operations_snapshots"))
    def snapshot_view(self, request: HttpRequest) -> HttpResponse:
        self._require_change(request)
        if snapshot := _once(request, partial(keep_figures, request.POST.get("note", "").strip()[:200])):
            time_commits(snapshot)
            messages.success(request, _("The snapshot was taken."))
        return self._back("snapshots")

    @method_decorator(sent_from("admin:waops_operations_drift"))
    def accept_view(self, request: HttpRequest) -> HttpResponse:
        self._require_change(request)
        key = request.POST.get("difference", "")
        try:
            accepted = _once(request, partial(drift.accept, connection, key, _person(request).name))
        except LookupError as error:
            raise BadRequest(_("This difference no longer exists: %(key)s") % {"key": key[:200]}) from error
        if accepted:
            messages.success(request, _("This difference will no longer be reported."))
        return self._back("drift")

    @method_decorator(sent_from("admin:waops_operations_connections"))
    def terminate_view(self, request: HttpRequest) -> HttpResponse:
        """End a session that blocks others, and only such a session, if the setting allows it."""
        self._require_change(request)
        if not settings.OPERATIONS_ALLOW_TERMINATE:
            raise PermissionDenied
        pid = request.POST.get("pid", "")
        if pid not in map(str, report_connections(connection).blockers):
            raise BadRequest(_("Session %(pid)s no longer blocks anyone.") % {"pid": pid[:20]})
        ended = fetch_value(connection, "SELECT pg_catalog.pg_terminate_backend(%s)", [int(pid)])
        if ended:
            messages.success(request, _("Session %(pid)s was ended.") % {"pid": pid})
        return self._back("connections")

    @method_decorator(sent_from("admin:waops_operations_functions"))
    def percent_view(self, request: HttpRequest) -> HttpResponse:
        self._require_change(request)
        name = request.POST.get("function", "")
        try:
            percent = set_percent(name, request.POST.get("percent", "").strip(), _person(request))
        except LookupError as error:
            raise BadRequest(_("There is no function “%(name)s”.") % {"name": name[:50]}) from error
        except ValueError as error:
            raise BadRequest(str(error)) from error
        messages.success(
            request,
            _("%(name)s: rollout percentage set to %(percent)s %%.")
            % {"name": name, "percent": f"{percent.normalize():f}"},
        )
        return self._back("functions")

    @method_decorator(sent_from("admin:waops_operations_functions"))
    def trace_view(self, request: HttpRequest) -> HttpResponse:
        self._require_change(request)
        name = request.POST.get("function", "")
        try:
            trace = set_trace(name, request.POST.get("minutes", ""), _person(request))
        except LookupError as error:
            raise BadRequest(_("“%(value)s” cannot be traced.") % {"value": name[:50]}) from error
        except ValueError as error:
            raise BadRequest(str(error)) from error
        if trace is None:
            messages.success(request, _("%(name)s is no longer traced.") % {"name": name})
        else:
            until = moment(trace.until)
            messages.success(request, _("%(name)s is traced until %(until)s.") % {"name": name, "until": until})
        return self._back("functions")

    def _require_change(self, request: HttpRequest) -> None:
        if not self.has_change_permission(request):
            raise PermissionDenied

    def _back(self, name: str) -> HttpResponseRedirect:
        return HttpResponseRedirect(address_of(next(page for page in PAGES if page.name == name)))


def tabs_of(page: Page) -> list[dict[str, Any]]:
    """The tabs, each with its pages and their addresses; a tab links to its first page."""
    return [
        {
            "title": title,
            "is_current": page.tab == key,
            "pages": [(one, address_of(one)) for one in PAGES if one.tab == key],
        }
        for key, title in TABS.items()
    ]


def address_of(page: Page) -> str:
    name = "changelist" if page is PAGES[0] else page.name
    return reverse(f"admin:waops_operations_{name}")


def _once(request: HttpRequest, work: Callable[[], Done]) -> Done | None:
    """The result of `work`; None, with a message, if this form was submitted before."""
    result = once(request, work, lambda _: True)
    if result is None:
        say_twice(request)
    return result


def _person(request: HttpRequest) -> Any:
    """The current staff member; the admin lets no one else in."""
    return request.user
