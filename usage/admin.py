"""Admin pages of businesses and their AI quota, prices, alerts, and the history of changes."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from usage import access_admin as access_admin
from usage import bulk, deliveries, quota, reads, rollup, views
from usage.models import AlertRule, Delivery, Price, Profile, QuotaChange
from usage.quota import View
from usage.requests import BadAddressError
from waops.access.readers import may
from waops.admin import home
from waops.admin.addresses import ClearAddresses
from waops.admin.drafts import sent_from
from waops.admin.filters import KnownValues
from waops.admin.read_only import ReadOnlyAdmin, list_address
from waops.templatetags.waops import outside_text, status


@admin.register(Profile)
class ProfileAdmin(ReadOnlyAdmin):
    """The overview of all businesses and the page of one; see views.py."""

    in_phone_bar = True
    navigation, icon = "businesses", "business"
    search_fields = ("business_name", "full_name")
    """Used by forms of other apps to choose a business."""

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

    @method_decorator(sent_from(lambda pk, action: reverse("admin:usage_profile_change", args=[pk]), keeps_typed=True))
    def change_quota_view(self, request: HttpRequest, pk: UUID, action: str) -> Any:
        answer = self._answer(request, lambda: views.change_quota(request, pk, action, self._context(request)))
        return answer or self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))

    @method_decorator(sent_from("admin:usage_profile_changelist", confirmed_by="plan"))
    def bulk_view(self, request: HttpRequest) -> Any:
        return self._answer(request, lambda: bulk.bulk_change(request, self._context(request)))

    def _answer(self, request: HttpRequest, view: Any) -> HttpResponseBase | None:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            answer: HttpResponseBase | None = view()
        except BadAddressError as error:
            title = _("This address does not work")
            return self._error_page(request, error.status, title, error.explanation, back=request.path)
        return answer

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        context = {"opts": self.opts, "media": self.media, "is_popup": IS_POPUP_VAR in request.GET}
        return {**self.admin_site.each_context(request), **context}


@admin.register(Price)
class PriceAdmin(ClearAddresses, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("model", "valid_from", "input_per_million", "output_per_million", "currency")
    search_fields = ("model",)
    searches_identifiers = True
    ordering = ("model", "-valid_from")
    change_list_template = "usage/prices.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"unpriced": rollup.unpriced_models(), **(extra_context or {})})


class BusinessRuleAdmin(ClearAddresses, admin.ModelAdmin):  # type: ignore[type-arg]
    """Rules for one business or, without one, for all that have none."""

    business_path = "business_id"
    list_select_related = ("business",)
    autocomplete_fields = ("business",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the deleted business of a rule as text: an empty choice would turn the rule into everyone's."""
        fields = super().get_fields(request, obj)
        if obj is None or obj.business_id is None or Profile.objects.filter(pk=obj.business_id).exists():
            return fields
        return ["business_name", *(name for name in fields if name not in ("business", "business_name"))]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("business_name",)

    @admin.display(description=gettext_lazy("business"))
    def business_name(self, row: Any) -> SafeString | str:
        return outside_text(str(row), 60)


@admin.register(AlertRule)
class AlertRuleAdmin(BusinessRuleAdmin):
    list_display = ("__str__", "thresholds", "forecast", "emails", "webhook", "language")
    search_fields = ("business__business_name", "emails")


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
    search_fields = ("business__business_name", "actor_name")
    ordering = ("-pk",)
    fields = (
        *("at", "name", "kind", "old_limit", "new_limit", "old_used", "new_used"),
        *("old_reset", "new_reset", "actor_name", "why"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Do not join the business, so that the history of a deleted business stays readable."""
        return super().get_queryset(request).select_related(None).prefetch_related("business")

    @admin.display(description=gettext_lazy("business"))
    def name(self, row: QuotaChange) -> SafeString | str:
        return outside_text(Profile.name_of(row), 60)

    @admin.display(description=gettext_lazy("why"))
    def why(self, row: QuotaChange) -> SafeString | str:
        return outside_text(row.reason, 200)


class StateFilter(KnownValues):
    title = gettext_lazy("state")
    parameter_name = "state"
    fields = ("state",)
    values = Delivery.State.choices


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    actions = ("try_again",)  # type: ignore[assignment]
    business_path = "alert__business_id"
    list_display = ("business", "threshold", "channel", "target", "outcome", "attempts", "next_attempt_at", "error")
    list_filter = (StateFilter,)
    related = ("alert",)
    ordering = ("-pk",)
    fields = list_display

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Do not join the business, because it may be deleted."""
        return super().get_queryset(request).prefetch_related("alert__business")

    def has_try_again_permission(self, request: HttpRequest) -> bool:
        return may(request, "usage.change_alertrule")

    @admin.action(description=gettext_lazy("Try again"), permissions=["try_again"])
    def try_again(self, request: HttpRequest, rows: QuerySet[Delivery]) -> None:
        count = deliveries.try_again(Delivery.objects.filter(pk__in=rows.values_list("pk", flat=True)))
        if count:
            text = ngettext(
                "%(count)s message will be retried within minutes.",
                "%(count)s messages will be retried within minutes.",
                count,
            )
            self.message_user(request, text % {"count": count}, messages.SUCCESS)
        else:
            self.message_user(
                request, _("Nothing to send: these were already sent or are being sent."), messages.WARNING
            )

    @admin.display(description=gettext_lazy("business"))
    def business(self, row: Delivery) -> SafeString | str:
        return outside_text(Profile.name_of(row.alert), 60)

    @admin.display(description=gettext_lazy("threshold"))
    def threshold(self, row: Delivery) -> str:
        return _("forecast") if row.alert.threshold == row.alert.FORECAST else f"{row.alert.threshold}%"

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def outcome(self, row: Delivery) -> SafeString:
        kinds = {Delivery.State.SENT: "done", Delivery.State.WAITING: "waiting", Delivery.State.GIVEN_UP: "late"}
        return status(kinds[Delivery.State(row.state)], row.get_state_display())


SHOWN = 5
"""Most businesses on a panel; the list has all."""


def pressing_businesses(request: HttpRequest) -> dict[str, Any]:
    """Home panels: businesses that are out of replies, those that will be before their reset, and the cost."""
    rollup.refresh()
    page, found = quota.page(timezone.now())
    silent = [one for one in page if one.is_in(View.OUT)]
    lost = reads.silence(one.id for one in silent)
    failed = Delivery.objects.filter(state=Delivery.State.GIVEN_UP)
    return {
        "counts": {view.value: found.counts[view] for view in View},
        "addresses": {view.value: list_address(Profile, view=view) for view in View},
        "silent": [(one, lost.get(one.id)) for one in silent[:SHOWN]],
        "customers": sum(one.customers for one in lost.values()),
        "ending": [one for one in page if one.is_in(View.BEFORE_RESET)][:SHOWN],
        "totals": found.totals,
        "failed": failed[:100].count() if may(request, "usage.view_delivery") else 0,
        "may_change_quota": may(request, "usage.change_quota"),
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
