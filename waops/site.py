"""The admin site: a home page by role, pages ordered by the work they belong to, and its own error pages."""

from functools import partial, wraps
from typing import TYPE_CHECKING, Any

from django.contrib.admin import AdminSite, site
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _
from django.views import defaults

from waops.accounts import pages
from waops.accounts.gate import gated
from waops.accounts.second_factor import Need, need_of
from waops.admin import drafts, home, navigation
from waops.admin.addresses import ClearAddresses
from waops.database.unavailable import what_was_saved

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

NAVIGATION = ("escalations", "usage", "conversations", "waops", "auth", "waffle")
"""App labels in the order of the navigation; others follow."""

ABOUT_PEOPLE = (("waops", "User"), ("waops", "SignInEvent"), ("waops", "AccessRecord"), ("usage", "AccessLimit"))
"""Pages of other apps that are listed with the groups."""

PHONE_BAR_PAGES = 2
"""Pages next to home and menu in the phone bar, which has no room for more. Admins join with `in_phone_bar`
(1 is first).
"""


class WaopsAdminSite(AdminSite):
    site_title = site_header = "Waops"
    index_title = _("Home")
    site_url = None
    empty_value_display = "—"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Make every list strict about its address, including those of other packages."""
        admin_class = admin_class or ClearAddresses
        if not issubclass(admin_class, ClearAddresses):
            admin_class = type(admin_class.__name__, (ClearAddresses, admin_class), {"searches_identifiers": True})
        super().register(model_or_iterable, admin_class, **options)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        models = [model for app in context["available_apps"] for model in app["models"] if model["admin_url"]]
        places = {model["admin_url"]: getattr(self._registry[model["model"]], "in_phone_bar", 0) for model in models}
        chosen = sorted((model for model in models if places[model["admin_url"]]), key=lambda m: places[m["admin_url"]])
        context["phone_bar"] = chosen[:PHONE_BAR_PAGES]
        context["navigation"] = navigation.groups(context["available_apps"], self._registry)
        return context

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        apps = super().get_app_list(request, app_label)
        by_label = {app["app_label"]: app for app in apps}
        if "auth" in by_label:  # people and what they may see are listed with their groups
            people = by_label["auth"]["models"]
            for label, name in ABOUT_PEOPLE:
                ours = by_label[label]["models"] if label in by_label else []
                people += [ours.pop(i) for i, model in reversed(list(enumerate(ours))) if model["object_name"] == name]
        order = {label: position for position, label in enumerate(NAVIGATION)}
        return sorted(apps, key=lambda app: order.get(app["app_label"], len(order)))

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        inner = super().admin_view(gated(view), cacheable)

        @wraps(inner)
        def keeping(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if not self.has_permission(request):
                drafts.kept_for_later(request, view, **kwargs)
            return inner(request, *args, **kwargs)

        return keeping

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return drafts.sent_from("admin:index")(super().logout)(request, extra_context=extra_context)

    def get_urls(self) -> list[Any]:
        return [
            path("second-factor/", self.admin_view(partial(pages.own_page, self)), name="second_factor"),
            path("second-factor/code/", self.admin_view(partial(pages.code_page, self)), name="second_factor_code"),
            # This app links to no other site, and that view answers 500 for an id of the wrong type.
            *(url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"),
        ]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {"panels": home.panels_for(request)} | (extra_context or {}))

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.GET.get("term", ""):
            raise BadRequest(_("No text contains the NUL character. Search for something else."))
        return super().autocomplete_view(request)

    def catch_all_view(self, request: HttpRequest, url: str) -> HttpResponse:
        try:
            return super().catch_all_view(request, url)
        except Http404:
            return self.error_page(request, 404, _("Page not found"), _("There is no page at this address."))

    def error_page(
        self, request: HttpRequest, status: int, title: "StrOrPromise", explanation: "StrOrPromise", *, back: str = ""
    ) -> HttpResponse:
        """A page inside the site that says what is wrong with the requested address; `back` is the list to
        return to.
        """
        context = {**self.each_context(request), "title": title, "explanation": explanation, "back": back}
        if status >= 500:
            context |= what_was_saved(request)
        return TemplateResponse(request, "waops/error.html", context, status=status)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The 403 page, with header and navigation for people who are logged in, so that they can go elsewhere."""
    if not (hasattr(request, "user") and site.has_permission(request) and need_of(request) is Need.NOTHING):
        return defaults.permission_denied(request, exception)
    why = _(
        "Your account cannot open this page or do this. If you need it, ask an administrator to add you to the "
        "right group."
    )
    admin: Any = site
    response: HttpResponse = admin.error_page(request, 403, _("You do not have permission"), why)
    return response
