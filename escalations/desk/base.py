"""What the desk's pages share: who may open them, their template context, and errors for bad addresses."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from escalations.desk.actions import ACTIONS
from waops.access.people import User
from waops.admin.read_only import ReadOnlyAdmin
from waops.database.kept import kept_together

PageView = Callable[..., HttpResponseBase]


class DeskPages(ReadOnlyAdmin):
    """A group of the desk's pages. EscalationAdmin combines them all; each adds its addresses to those that follow."""

    def get_urls(self) -> list[URLPattern]:
        return []

    def page(
        self, route: str, view: PageView, name: str, cached: Mapping[str, Callable[[], Any]] | None = None
    ) -> URLPattern:
        """Decorate a page for people who may see escalations; its actions require more.

        `cached` are the cached values it needs, which are fetched in one call.
        """

        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not self.has_view_permission(request):
                raise PermissionDenied
            if cached:
                kept_together(cached)
            return view(request, *args, **kwargs)

        pattern: URLPattern = path(route, self.admin_site.admin_view(checked), name=f"escalations_escalation_{name}")
        return pattern

    def show(
        self, request: HttpRequest, template: str, read: Callable[[], dict[str, Any]], *, status: int = 200
    ) -> HttpResponse:
        """Render a page with what `read` returns; if that raises BadRequest, render a page that explains it."""
        try:
            content = read()
        except BadRequest as error:
            return self.refuse(request, error)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": capfirst(self.opts.verbose_name_plural),
            "may": {name.replace("-", "_"): action.is_allowed(request.user) for name, action in ACTIONS.items()}
            | {"override": person(request).has_perm("escalations.override_escalation")},
            **content,
        }
        return TemplateResponse(request, template, context, status=status)

    def no_escalation(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)

    def refuse(self, request: HttpRequest, error: BadRequest) -> HttpResponse:
        status, title = getattr(error, "status", 400), getattr(error, "title", _("This address does not work"))
        return self._error_page(request, status, title, str(error), back=request.path)


def person(request: HttpRequest) -> User:
    """The current staff member; the admin lets no one else open the desk's pages."""
    return cast(User, request.user)


def unknown() -> str:
    """A filter value that no row has."""
    return capfirst(_("unknown"))


def uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
