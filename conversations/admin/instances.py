"""Admin pages of WhatsApp numbers and their AI settings."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.admin.display import InstanceColumns, text_column, yes_or_no
from conversations.models import AIConfig, AIInteraction, AIPersonality, Conversation, WhatsAppInstance
from waops.access.personal import text
from waops.admin.filters import KnownValues
from waops.admin.read_only import ReadOnlyAdmin, list_address, may_view
from waops.templatetags.waops import ltr, outside_text, status

CONNECTION = {
    "connected": ("done", gettext_lazy("connected")),
    "connecting": ("waiting", gettext_lazy("connecting")),
    "disconnected": ("late", gettext_lazy("disconnected")),
    "created": ("off", gettext_lazy("never connected")),
}
"""By status in lower case; older rows use upper case."""


class ConnectionFilter(KnownValues):
    title = gettext_lazy("connection")
    parameter_name = "connection"
    fields = ("status",)
    values = [(value, word) for value, (_kind, word) in CONNECTION.items()]

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(status__iexact=value)


@admin.register(WhatsAppInstance)
class WhatsAppInstanceAdmin(ReadOnlyAdmin):
    navigation, icon = "businesses", "phone"
    list_display = ("name", "business_name", "connection", "escalates", "last_connected")
    list_filter = (ConnectionFilter, ("escalation_enabled", admin.BooleanFieldListFilter))
    link_lookups = ("business__id__exact",)
    search_fields = ("instance_name",)
    search_help_text = gettext_lazy("Name of the number or of its business")
    ordering = ("instance_name",)
    related = ("business",)
    fieldsets = (
        (None, {"fields": ("name", "business", "connection", "last_connected")}),
        (
            gettext_lazy("Escalation"),
            {
                "fields": (
                    "escalation_enabled",
                    "smart_escalation_enabled",
                    "keyword_escalation_enabled",
                    "escalation_keywords",
                    "custom_escalation_enabled",
                    "custom_escalation_instructions",
                    "escalation_message",
                    "escalated_conversation_message",
                )
            },
        ),
        (gettext_lazy("Record"), {"fields": ("id", "created_at", "updated_at")}),
    )

    def search(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        by_business = Q(business__business_name__icontains=search_term)
        return queryset.filter(Q(instance_name__icontains=search_term) | by_business), False

    def related_pages(self, request: HttpRequest, row: WhatsAppInstance) -> Iterator[tuple[str, str]]:
        for model, name in (
            (Conversation, _("Conversations")),
            (AIInteraction, _("AI replies")),
            (AIConfig, _("AI settings")),
            (AIPersonality, _("AI personalities")),
        ):
            if may_view(request, model):
                yield list_address(model, instance__id__exact=row.pk), name

    @admin.display(description=gettext_lazy("name"), ordering="instance_name")
    def name(self, row: WhatsAppInstance) -> SafeString | str:
        return ltr(text(row.instance_name))

    @admin.display(description=gettext_lazy("business"))
    def business_name(self, row: WhatsAppInstance) -> SafeString | str:
        return outside_text(row.business, 60)

    @admin.display(description=gettext_lazy("connection"))
    def connection(self, row: WhatsAppInstance) -> SafeString:
        kind, word = CONNECTION.get((row.status or "").lower(), ("unknown", row.status or _("unknown")))
        return status(kind, word)

    @admin.display(description=gettext_lazy("escalation"))
    def escalates(self, row: WhatsAppInstance) -> SafeString:
        return yes_or_no(row.escalation_enabled)


@admin.register(AIConfig)
class AIConfigAdmin(InstanceColumns, ReadOnlyAdmin):
    list_display = ("number", "business_name", "active", "temperature", "language", "updated_at")
    list_filter = (("is_active", admin.BooleanFieldListFilter),)
    link_lookups = ("instance__id__exact",)
    search_fields = ("instance__instance_name",)
    search_help_text = gettext_lazy("Name of the number")
    ordering = ("instance_id",)
    related = ("instance__business", "fallback_personality")
    fieldsets = (
        (None, {"fields": ("instance", "is_active", "system_prompt", "temperature")}),
        (
            gettext_lazy("Voice messages"),
            {"fields": ("process_voice_messages", "default_voice_language", "voice_message_default_response")},
        ),
        (
            gettext_lazy("Personalities"),
            {
                "fields": (
                    "use_personality_system",
                    "fallback_personality",
                    "intent_recognition_enabled",
                    "intent_confidence_threshold",
                    "total_personality_switches",
                    "intent_recognition_accuracy",
                    "personality_system_metadata",
                )
            },
        ),
        (gettext_lazy("Record"), {"fields": ("id", "created_at", "updated_at")}),
    )

    def for_list(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.defer("system_prompt", "personality_system_metadata")

    language = text_column(AIConfig, "default_voice_language")

    def heading(self, row: AIConfig) -> str:
        return _("AI settings of %(number)s") % {"number": row.instance}

    @admin.display(description=gettext_lazy("active"))
    def active(self, row: AIConfig) -> SafeString:
        return yes_or_no(row.is_active)


@admin.register(AIPersonality)
class AIPersonalityAdmin(InstanceColumns, ReadOnlyAdmin):
    list_display = ("title", "number", "business_name", "active", "of_model", "usage_count")
    list_filter = (("is_active", admin.BooleanFieldListFilter), ("is_default", admin.BooleanFieldListFilter))
    link_lookups = ("instance__id__exact",)
    search_fields = ("name",)
    search_help_text = gettext_lazy("Name of the personality")
    ordering = ("name",)
    related = ("instance__business",)
    fieldsets = (
        (None, {"fields": ("name", "description", "instance", "is_active", "is_default", "priority")}),
        (gettext_lazy("Replies"), {"fields": ("system_prompt", "model", "temperature", "intent_categories")}),
        (
            gettext_lazy("Voice messages"),
            {"fields": ("process_voice_messages", "default_voice_language", "voice_message_default_response")},
        ),
        (
            gettext_lazy("Record"),
            {"fields": ("id", "usage_count", "is_template", "template_category", "created_at", "updated_at")},
        ),
    )

    def for_list(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.defer("system_prompt", "description", "intent_categories")

    of_model = text_column(AIPersonality, "model")

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def title(self, row: AIPersonality) -> SafeString | str:
        return outside_text(row.name)

    @admin.display(description=gettext_lazy("active"))
    def active(self, row: AIPersonality) -> SafeString:
        return yes_or_no(row.is_active)
