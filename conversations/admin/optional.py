"""Admin pages of tables that some deployments lack: they are hidden there, and say so."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from conversations.admin.display import InstanceColumns, yes_or_no
from conversations.models import CustomerProfile, SupportTeamNumber
from conversations.queries import phone_begins
from waops.access import vocabulary
from waops.admin.read_only import ReadOnlyAdmin
from waops.templatetags.waops import outside_text, phone

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


@admin.register(SupportTeamNumber)
class SupportTeamNumberAdmin(InstanceColumns, ReadOnlyAdmin):
    list_display = ("support_number", "number", "business_name", "active", "created_at")
    list_filter = (("is_active", admin.BooleanFieldListFilter),)
    link_lookups = ("instance__id__exact",)
    ordering = ("-created_at", "pk")  # sorted by number, the order would reveal how masked ones begin
    related = ("instance__business",)
    fields = ("support_number", "instance", "is_active", "created_at", "updated_at", "id")

    @admin.display(description=gettext_lazy("number"))
    def support_number(self, row: SupportTeamNumber) -> SafeString | str:
        return phone(row.whatsapp_number)

    @admin.display(description=gettext_lazy("active"))
    def active(self, row: SupportTeamNumber) -> SafeString:
        return yes_or_no(row.is_active)


def coded(field: str, words: Mapping[str, "StrPromise"]) -> Callable[[Any, CustomerProfile], Any]:
    """A display method for a field whose codes have labels."""

    @admin.display(description=getattr(CustomerProfile, field).field.verbose_name, ordering=field)
    def shown(model_admin: Any, row: CustomerProfile) -> Any:
        code = getattr(row, field)
        return outside_text(vocabulary.in_words(code, words), 40) if code else None

    return shown


@admin.register(CustomerProfile)
class CustomerProfileAdmin(InstanceColumns, ReadOnlyAdmin):
    list_display = ("customer", "called", "number", "business_name", "stage", "last_interaction")
    list_filter = ("last_interaction",)
    link_lookups = ("instance__id__exact",)
    search_fields = ("phone_number",)
    number_field = "phone_number"
    search_help_text = gettext_lazy("The customer's number with the country code or its first digits, or the full name")
    ordering = ("-last_interaction",)
    related = ("instance__business",)
    fieldsets = (
        (None, {"fields": ("name", "customer", "company", "email", "instance", "tags")}),
        (
            gettext_lazy("Customer journey"),
            {
                "fields": (
                    "stage",
                    "journey",
                    "wish",
                    "mood",
                    "urgency",
                    "style",
                )
            },
        ),
        (
            gettext_lazy("Profile"),
            {"fields": ("conversation_summary", "key_points", "preferences", "action_items", "last_summary_update")},
        ),
        (
            gettext_lazy("Record"),
            {"fields": ("first_interaction", "last_interaction", "total_messages", "ai_interactions", "id")},
        ),
    )

    def for_list(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.defer("conversation_summary", "key_points", "preferences", "action_items")

    def search(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        return queryset.filter(phone_begins("phone_number", search_term) or Q(name__iexact=search_term)), False

    stage = coded("customer_stage", vocabulary.STAGES)
    journey = coded("journey_stage", vocabulary.JOURNEY)
    wish = coded("customer_intent", vocabulary.WISHES)
    mood = coded("customer_mood", vocabulary.MOODS)
    urgency = coded("urgency_level", vocabulary.URGENCY)
    style = coded("communication_style", vocabulary.STYLES)

    @admin.display(description=gettext_lazy("customer"))
    def customer(self, row: CustomerProfile) -> SafeString | str:
        return phone(row.phone_number)

    @admin.display(description=gettext_lazy("name"))
    def called(self, row: CustomerProfile) -> Any:
        return outside_text(row.name, 40)
