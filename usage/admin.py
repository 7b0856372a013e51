"""Businesses and what is left of their AI answers."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usage.models import Profile
from usage.queries import QuotaState
from waops import home
from waops.admin.filters import KnownValues
from waops.admin.read_only import ReadOnlyAdmin, list_address, may_view
from waops.templatetags.waops import outside_text, status

STATUS_KINDS = {
    QuotaState.OVER: "late",
    QuotaState.NEAR: "waiting",
    QuotaState.ENOUGH: "done",
    QuotaState.DISABLED: "off",
}


class QuotaFilter(KnownValues):
    title = gettext_lazy("AI answers")
    parameter_name = "quota"
    fields = ("monthly_ai_responses_used", "monthly_ai_response_limit")
    values = QuotaState.choices

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.in_quota_state(value)  # type: ignore[attr-defined,no-any-return]


class PlanFilter(KnownValues):
    title = gettext_lazy("plan")
    parameter_name = "plan"
    fields = ("plan_type",)
    values = [(name, name) for name in ("Launch", "Scale", "Growth", "Authority")]


@admin.register(Profile)
class ProfileAdmin(ReadOnlyAdmin):
    in_phone_bar = 2
    list_display = ("name", "state", "answers", "plan_type", "subscription_end_date", "is_paying")
    list_filter = (QuotaFilter, PlanFilter, ("is_active", admin.BooleanFieldListFilter))
    search_fields = ("business_name",)
    search_help_text = gettext_lazy("Name of the business or its owner")
    ordering = ("business_name",)
    fieldsets = (
        (None, {"fields": ("business_name", "full_name", "is_paying", "plan_type", "subscription_period")}),
        (gettext_lazy("AI answers"), {"fields": ("state", "answers", "last_responses_reset_date")}),
        (
            gettext_lazy("Subscription"),
            {"fields": ("subscription_start_date", "subscription_end_date", "enable_smart_escalation_global")},
        ),
        (gettext_lazy("Record"), {"fields": ("id", "created_at", "updated_at")}),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (queryset.search(search_term) if search_term else queryset), False  # type: ignore[attr-defined]

    def related_pages(self, request: HttpRequest, row: Profile) -> Iterator[tuple[str, str]]:
        number = apps.get_model("conversations", "WhatsAppInstance")
        if may_view(request, number):
            yield list_address(number, business__id__exact=row.pk), _("WhatsApp numbers")

    @admin.display(description=gettext_lazy("business"), ordering="business_name")
    def name(self, row: Profile) -> SafeString | str:
        return outside_text(str(row), 60)

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: Profile) -> SafeString:
        quota = QuotaState.of(row.monthly_ai_responses_used, row.monthly_ai_response_limit)
        return status(STATUS_KINDS[quota], quota.label)

    @admin.display(description=gettext_lazy("AI answers used"), ordering="monthly_ai_responses_used")
    def answers(self, row: Profile) -> SafeString:
        used, limit = row.monthly_ai_responses_used or 0, row.monthly_ai_response_limit or 0
        return render_to_string("usage/answers.html", {"used": used, "limit": limit})

    @admin.display(description=gettext_lazy("account"), ordering="is_active")
    def is_paying(self, row: Profile) -> SafeString:
        return status("done", _("active")) if row.is_active else status("off", _("inactive"))


def pressing_businesses(request: HttpRequest) -> dict[str, Any]:
    """The home panel's businesses: those out of answers, then those running out."""
    out = Profile.objects.in_quota_state(QuotaState.OVER)
    near = Profile.objects.in_quota_state(QuotaState.NEAR)
    return {
        "out": out.count(),
        "near": near.count(),
        "businesses": list((out | near).most_pressing_first()[:5]),
        "out_address": list_address(Profile, quota=QuotaState.OVER),
        "near_address": list_address(Profile, quota=QuotaState.NEAR),
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
