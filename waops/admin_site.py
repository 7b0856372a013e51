"""The admin site: home by each person's work, pages in the order of that work, errors as pages of its own."""

from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _

from waops import home
from waops.sign_in import pages
from waops.sign_in.gate import gated

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

NAVIGATION = ("escalations", "conversations", "usage", "waops", "auth", "waffle")
"""App labels in the order of the navigation; others follow."""

ABOUT_PEOPLE = (("waops", "User"), ("waops", "SignInEvent"), ("waops", "AccessRecord"), ("usage", "AccessLimit"))
"""Pages of other apps that stand among those of groups."""

PHONE_BAR_PAGES = 2
"""Beside home and menu: more names do not fit. Admins say by `in_phone_bar` (1 is first) that they belong there."""


class WaopsAdminSite(AdminSite):
    site_title = site_header = "Waops"
    index_title = _("Home")
    site_url = None
    empty_value_display = "—"

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        models = [model for app in context["available_apps"] for model in app["models"] if model["admin_url"]]
        places = {model["admin_url"]: getattr(self._registry[model["model"]], "in_phone_bar", 0) for model in models}
        chosen = sorted((model for model in models if places[model["admin_url"]]), key=lambda m: places[m["admin_url"]])
        context["phone_bar"] = chosen[:PHONE_BAR_PAGES]
        return context

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        apps = super().get_app_list(request, app_label)
        by_label = {app["app_label"]: app for app in apps}
        if "auth" in by_label:  # people, and what they may see, stand beside their groups
            people = by_label["auth"]["models"]
            for label, name in ABOUT_PEOPLE:
                ours = by_label[label]["models"] if label in by_label else []
                people += [ours.pop(i) for i, model in reversed(list(enumerate(ours))) if model["object_name"] == name]
        order = {label: position for position, label in enumerate(NAVIGATION)}
        return sorted(apps, key=lambda app: order.get(app["app_label"], len(order)))

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        return super().admin_view(gated(view), cacheable)

    def get_urls(self) -> list[Any]:
        return [
            path("second-factor/", self.admin_view(partial(pages.own_page, self)), name="second_factor"),
            path("second-factor/code/", self.admin_view(partial(pages.code_page, self)), name="second_factor_code"),
            *super().get_urls(),
        ]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {"panels": home.panels_for(request)} | (extra_context or {}))

    def catch_all_view(self, request: HttpRequest, url: str) -> HttpResponse:
        try:
            return super().catch_all_view(request, url)
        except Http404:
            return self.error_page(request, 404, _("Page not found"), _("There is no page at this address."))

    def error_page(
        self, request: HttpRequest, status: int, title: "StrOrPromise", explanation: "StrOrPromise", *, back: str = ""
    ) -> HttpResponse:
        """A page inside the site that says what is wrong with the address asked for; `back` is the list it was for."""
        context = {**self.each_context(request), "title": title, "explanation": explanation, "back": back}
        return TemplateResponse(request, "waops/error.html", context, status=status)
