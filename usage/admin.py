"""Businesses and their AI quota, prices, alerts, and the history of changes."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usage import access_admin as access_admin
from usage import bulk, rollup, views
from usage.listing import listing
from usage.models import AlertRule, Delivery, Price, Profile, QuotaChange
from usage.overview import View
from usage.requests import BadAddressError
from waops import home
from waops.admin.addresses import ClearAddresses
from waops.admin.filters import KnownValues
from waops.admin.read_only import ReadOnlyAdmin, list_address
from waops.templatetags.waops import outside_text, status


@admin.register(Profile)
class ProfileAdmin(ReadOnlyAdmin):
    """The overview of all businesses and the page of one; see views.py."""

    in_phone_bar = True
    search_fields = ("business_name", "full_name")
    """Other apps' forms choose a business by these."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("export/", wrap(self.export_view), name="usage_profile_export"),
            path("reconcile/", wrap(self.reconcile_view), name="usage_profile_reconcile"),
            path("bulk/", wrap(self.bulk_view), name="usage_profile_bulk"),
            path("<uuid:pk>/export/", wrap(self.export_business_view), name="usage_profile_export_one"),
            *(
                path(
                    f"<uuid:pk>/{action}/",
                    wrap(self.change_quota_view),
                    {"action": action},
                    name=f"usage_profile_{action}",
                )
                for action in ("limit", "top_up", "reset")
            ),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return self._answer(request, lambda: views.overview_page(request, self._context(request)))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        if request.method != "GET":
            raise PermissionDenied
        try:
            pk = UUID(object_id)
        except ValueError:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        answer = self._answer(request, lambda: views.business_page(request, pk, self._context(request)))
        return answer or self._get_obj_does_not_exist_redirect(request, self.opts, object_id)

    def export_view(self, request: HttpRequest) -> Any:
        return self._answer(request, lambda: views.export_overview(request))

    def reconcile_view(self, request: HttpRequest) -> Any:
        return self._answer(request, lambda: views.reconcile_page(request, self._context(request)))

    def export_business_view(self, request: HttpRequest, pk: UUID) -> Any:
        answer = self._answer(request, lambda: views.export_business(request, pk))
        return answer or self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))

    def change_quota_view(self, request: HttpRequest, pk: UUID, action: str) -> Any:
        if request.method != "POST":
            return redirect("admin:usage_profile_change", pk)
        answer = self._answer(request, lambda: views.change_quota(request, pk, action, self._context(request)))
        return answer or self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))

    def bulk_view(self, request: HttpRequest) -> Any:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return self._answer(request, lambda: bulk.bulk_change(request, self._context(request)))

    def _answer(self, request: HttpRequest, view: Any) -> HttpResponseBase | None:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            answer: HttpResponseBase | None = view()
        except BadAddressError as error:
            title = _("This address cannot be shown")
            return self._error_page(request, error.status, title, error.explanation, back=request.path)
        return answer

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media}


@admin.register(Price)
class PriceAdmin(ClearAddresses, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("model", "valid_from", "input_per_million", "output_per_million", "currency")
    search_fields = ("model",)
    ordering = ("model", "-valid_from")
    change_list_template = "usage/prices.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"unpriced": rollup.unpriced_models(), **(extra_context or {})})


@admin.register(AlertRule)
class AlertRuleAdmin(ClearAddresses, admin.ModelAdmin):  # type: ignore[type-arg]
    business_path = "business_id"
    list_display = ("__str__", "thresholds", "forecast", "emails", "webhook", "language")
    list_select_related = ("business",)
    search_fields = ("business__business_name", "emails")
    autocomplete_fields = ("business",)


class KindFilter(KnownValues):
    title = gettext_lazy("what")
    parameter_name = "kind"
    fields = ("kind",)
    values = QuotaChange.Kind.choices


@admin.register(QuotaChange)
class QuotaChangeAdmin(ReadOnlyAdmin):
    business_path = "business_id"
    list_display = ("at", "name", "kind", "old_limit", "new_limit", "old_used", "new_used", "actor_name", "why")
    list_filter = (KindFilter,)
    link_lookups = ("business__id__exact",)
    related = ("business",)
    search_fields = ("business__business_name", "actor_name")
    ordering = ("-pk",)
    fields = (
        *("at", "name", "kind", "old_limit", "new_limit", "old_used", "new_used"),
        *("old_reset", "new_reset", "actor_name", "why"),
    )

    @admin.display(description=gettext_lazy("business"))
    def name(self, row: QuotaChange) -> SafeString | str:
        return outside_text(str(row.business), 60)

    @admin.display(description=gettext_lazy("why"))
    def why(self, row: QuotaChange) -> SafeString | str:
        return outside_text(row.reason, 200)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    business_path = "alert__business_id"
    list_display = ("business", "threshold", "channel", "target", "outcome", "attempts", "next_attempt_at", "error")
    related = ("alert", "alert__business")
    ordering = ("-pk",)
    fields = list_display

    @admin.display(description=gettext_lazy("business"))
    def business(self, row: Delivery) -> SafeString | str:
        return outside_text(str(row.alert.business), 60)

    @admin.display(description=gettext_lazy("threshold"))
    def threshold(self, row: Delivery) -> str:
        return _("forecast") if row.alert.threshold == row.alert.FORECAST else f"{row.alert.threshold}%"

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def outcome(self, row: Delivery) -> SafeString:
        kinds = {Delivery.State.SENT: "done", Delivery.State.WAITING: "waiting", Delivery.State.GIVEN_UP: "late"}
        return status(kinds[Delivery.State(row.state)], row.get_state_display())


def pressing_businesses(request: HttpRequest) -> dict[str, Any]:
    """The home panel's businesses: those out of answers, then those that will be before their reset."""
    rollup.refresh()
    found = listing(timezone.now())
    pressing = [one for one in found.page if one.is_in(View.OUT) or one.is_in(View.BEFORE_RESET)]
    return {
        "out": found.counts[View.OUT],
        "before_reset": found.counts[View.BEFORE_RESET],
        "businesses": pressing[:5],
        "out_address": list_address(Profile, view=View.OUT),
        "before_reset_address": list_address(Profile, view=View.BEFORE_RESET),
        "all_address": list_address(Profile),
    }


home.register(
    home.Panel(
        name="quota",
        permission="usage.view_profile",
        template="usage/home_panel.html",
        context=pressing_businesses,
        order=20,
    )
)
