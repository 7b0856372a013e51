"""The operations pages, in the admin's frame. No table of their own: an address each, and small POST forms."""

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
from django.views.decorators.http import require_POST

from waops.operate import drift
from waops.operate.checklist import tick
from waops.operate.connections import report_connections
from waops.operate.models import Backup, Operations
from waops.operate.pages import PAGES, Content, Page
from waops.operate.people import display_name
from waops.operate.reading import fetch_value
from waops.operate.report import as_markdown, report
from waops.operate.snapshots import take_snapshot

View = Callable[..., HttpResponse]


@admin.register(Operations)
class OperationsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Seen with `view_operations`; recording, ticking and accepting need `change_operations`."""

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
                return self._error(request, 400, _("This address cannot be shown"), str(error))
            except DatabaseError as error:
                return self._error(request, 503, _("The database did not answer in time"), str(error).strip())

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
            "pages": [(one, address_of(one)) for one in PAGES],
            "findings": content.urgent,
            "notes": content.notes,
            "figures": content.figures,
            "may_change": self.has_change_permission(request),
            "may_terminate": settings.OPERATIONS_ALLOW_TERMINATE and self.has_change_permission(request),
            **content.extra,
        }

    def report_view(self, request: HttpRequest) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "title": _("Before and after"), "figures": report()}
        return TemplateResponse(request, "waops/operations/report.html", context)

    def markdown_view(self, request: HttpRequest) -> HttpResponse:
        headers = {"Content-Disposition": 'attachment; filename="before-and-after.md"'}
        return HttpResponse(as_markdown(report()), content_type="text/markdown; charset=utf-8", headers=headers)

    @method_decorator(require_POST)
    def tick_view(self, request: HttpRequest) -> HttpResponse:
        self._require_change(request)
        key, done = request.POST.get("item", ""), request.POST.get("done") == "1"
        try:
            tick(key, done=done, note=request.POST.get("note", "").strip()[:2000], by=_person(request))
        except LookupError as error:
            raise BadRequest(_("“%(item)s” is not an item that a person ticks.") % {"item": key[:50]}) from error
        except ValueError as error:
            raise BadRequest(str(error)) from error
        return self._back("checklist")

    @method_decorator(require_POST)
    def backup_view(self, request: HttpRequest) -> HttpResponse:
        self._require_change(request)
        note = request.POST.get("note", "").strip()[:2000]
        if not note:
            raise BadRequest(_("Say where the backup lies."))
        name = display_name(_person(request))
        Backup.objects.create(taken_at=timezone.now(), kind=Backup.Kind.ENTERED, note=note, recorded_by=name)
        messages.success(request, _("The backup is entered."))
        return self._back("checklist")

    @method_decorator(require_POST)
    def snapshot_view(self, request: HttpRequest) -> HttpResponse:
        self._require_change(request)
        take_snapshot(request.POST.get("note", "").strip()[:200])
        messages.success(request, _("The figures of this moment are kept."))
        return self._back("snapshots")

    @method_decorator(require_POST)
    def accept_view(self, request: HttpRequest) -> HttpResponse:
        self._require_change(request)
        key = request.POST.get("key", "")
        try:
            drift.accept(connection, key, display_name(_person(request)))
        except LookupError as error:
            raise BadRequest(_("This is not a difference now: %(key)s") % {"key": key[:200]}) from error
        messages.success(request, _("This difference is reported no more."))
        return self._back("drift")

    @method_decorator(require_POST)
    def terminate_view(self, request: HttpRequest) -> HttpResponse:
        """End a session that others wait for; only such a one, and only where the setting allows it."""
        self._require_change(request)
        if not settings.OPERATIONS_ALLOW_TERMINATE:
            raise PermissionDenied
        pid = request.POST.get("pid", "")
        if pid not in map(str, report_connections(connection).blockers):
            raise BadRequest(_("Nobody waits for session %(pid)s now.") % {"pid": pid[:20]})
        ended = fetch_value(connection, "SELECT pg_catalog.pg_terminate_backend(%s)", [int(pid)])
        if ended:
            messages.success(request, _("Session %(pid)s is ended.") % {"pid": pid})
        return self._back("connections")

    def _require_change(self, request: HttpRequest) -> None:
        if not self.has_change_permission(request):
            raise PermissionDenied

    def _back(self, name: str) -> HttpResponseRedirect:
        return HttpResponseRedirect(address_of(next(page for page in PAGES if page.name == name)))


def address_of(page: Page) -> str:
    name = "changelist" if page is PAGES[0] else page.name
    return reverse(f"admin:waops_operations_{name}")


def _person(request: HttpRequest) -> Any:
    """The member of staff; the admin lets nobody else come here."""
    return request.user
