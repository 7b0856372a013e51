"""Admin pages of conversations as chats, their messages, and AI replies."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from conversations.admin.display import InstanceColumns
from conversations.models import AIInteraction, Conversation, Message
from conversations.queries import message_page
from conversations.templatetags.chat import BLANK
from waops.access.log import note_reading
from waops.access.personal import number_in_groups
from waops.admin.filters import KnownValues
from waops.admin.read_only import ReadOnlyAdmin, list_address, may_view
from waops.database.long_text import LONGEST_WHOLE
from waops.templatetags.waops import outside_block, outside_text, phone, status

STATES = {
    "active": ("open", pgettext_lazy("conversation", "active")),
    "inactive": ("off", pgettext_lazy("conversation", "inactive")),
    "closed": ("done", pgettext_lazy("conversation", "closed")),
}
AUTHORS = {"user": gettext_lazy("customer"), "assistant": gettext_lazy("AI")}


class StateFilter(KnownValues):
    title = gettext_lazy("state")
    parameter_name = "state"
    fields = ("status",)
    values = [(value, word) for value, (_kind, word) in STATES.items()]


class AuthorFilter(KnownValues):
    title = gettext_lazy("written by")
    parameter_name = "author"
    fields = ("role",)
    values = list(AUTHORS.items())


@admin.register(Conversation)
class ConversationAdmin(InstanceColumns, ReadOnlyAdmin):
    change_form_template = "conversations/conversation.html"
    in_phone_bar = 3
    navigation, icon = "work", "chat"
    list_display = ("customer", "number", "business_name", "state", "last_activity", "started_at")
    list_filter = (StateFilter, "last_activity")
    link_lookups = ("instance__id__exact",)
    search_fields = ("user_phone",)
    number_field = "user_phone"
    search_help_text = gettext_lazy("The customer's number with the country code, or its first digits")
    ordering = ("-last_activity",)
    related = ("instance__business",)
    fields = (
        "customer",
        "instance",
        "business_name",
        "state",
        "started_at",
        "last_activity",
        "conversation_data",
        "id",
    )

    def for_list(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.without_data()  # type: ignore[attr-defined,no-any-return]

    def search(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        return queryset.search(search_term), False  # type: ignore[attr-defined]

    def heading(self, row: Conversation) -> str:
        return number_in_groups(row.user_phone)

    def related_pages(self, request: HttpRequest, row: Conversation) -> Iterator[tuple[str, str]]:
        if may_view(request, Message):
            yield list_address(Message, conversation__id__exact=row.pk), _("Messages as a list")
        if may_view(request, AIInteraction):
            yield list_address(AIInteraction, conversation=row.pk), _("AI replies")

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except ValueError:
            if "before" not in request.GET:
                raise
            explanation = _("This message is not in this conversation.")
            return self._error_page(request, 400, _("This address does not work"), explanation, back=request.path)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if may_view(request, Message):
            note_reading(request, "conversations.conversation", context["original"].pk)
            page = message_page(context["original"], request.GET.get("before", ""))
            older = f"?{urlencode({'before': page.older})}" if page.older else ""
            context |= {
                "chat_messages": page.messages,
                "older": older,
                "is_older": "before" in request.GET,
                "whole": reverse("admin:conversations_message_change", args=[BLANK]),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("customer"))
    def customer(self, row: Conversation) -> SafeString | str:
        return phone(row.user_phone)

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: Conversation) -> SafeString:
        return status(*STATES.get(row.status, ("unknown", row.status or _("unknown"))))


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ("begins", "author", "customer", "timestamp")
    list_filter = (AuthorFilter, "timestamp")
    link_lookups = ("conversation__id__exact",)
    search_fields = ("content",)
    search_help_text = gettext_lazy("Whole words from the message; quotation marks for a phrase, OR for alternatives")
    ordering = ("-timestamp",)
    related = ("conversation__instance",)
    fields = ("text", "author", "timestamp", "conversation", "metadata", "message_id", "id")

    def for_list(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.excerpts().defer("conversation__conversation_data")  # type: ignore[attr-defined,no-any-return]

    def search(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        return queryset.search(search_term), False  # type: ignore[attr-defined]

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changes = super().get_changelist_instance(request)
        if chat := request.GET.get("conversation__id__exact", ""):
            note_reading(request, "conversations.conversation", chat)
        else:
            note_reading(request, "conversations.message")
        return changes

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        note_reading(request, "conversations.conversation", context["original"].conversation_id)
        return super().render_change_form(request, context, *args, **kwargs)

    def heading(self, row: Message) -> str:
        return _("Message from %(who)s") % {"who": self.author(row)}

    @admin.display(description=gettext_lazy("text"))
    def text(self, row: Message) -> SafeString | str:
        return outside_block(row.content, LONGEST_WHOLE)

    @admin.display(description=gettext_lazy("message"))
    def begins(self, row: Any) -> SafeString | str:
        return outside_text(row.excerpt, 100) or _("(empty)")

    @admin.display(description=gettext_lazy("written by"))
    def author(self, row: Message) -> str:
        return str(AUTHORS.get(row.role, row.role))

    @admin.display(description=gettext_lazy("customer"))
    def customer(self, row: Message) -> SafeString | str:
        return phone(row.conversation.user_phone)


class OfConversation(SimpleListFilter):
    """Filter the AI replies to one customer: a conversation's page links to them without the number in the address."""

    title = gettext_lazy("customer")
    parameter_name = "conversation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if not self.value():
            return []
        return [(str(self._conversation().pk), number_in_groups(self._conversation().user_phone))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        found = self._conversation()
        return queryset.filter(instance_id=found.instance_id, user_phone=found.user_phone)

    def _conversation(self) -> Conversation:
        try:
            found: Conversation | None = Conversation.objects.filter(pk=self.value()).first()
        except (ValidationError, ValueError):
            found = None
        if found is None:
            raise IncorrectLookupParameters
        return found


@admin.register(AIInteraction)
class AIInteractionAdmin(InstanceColumns, ReadOnlyAdmin):
    list_display = ("asked", "answered", "customer", "number", "total_tokens", "created_at")
    list_filter = (OfConversation, "created_at")
    link_lookups = ("instance__id__exact",)
    search_fields = ("user_phone",)
    number_field = "user_phone"
    search_help_text = gettext_lazy("The customer's full number with the country code")
    ordering = ("-created_at",)
    related = ("instance__business",)
    fieldsets = (
        (None, {"fields": ("user_message", "ai_response", "customer", "instance", "created_at")}),
        (
            gettext_lazy("Cost"),
            {
                "fields": (
                    "response_model",
                    "prompt_tokens",
                    "completion_tokens",
                    "total_tokens",
                    "context_token_count",
                    "search_result_count",
                )
            },
        ),
        (gettext_lazy("Record"), {"fields": ("metadata", "id", "updated_at")}),
    )

    def for_list(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.excerpts()  # type: ignore[attr-defined,no-any-return]

    def search(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        return queryset.search(search_term), False  # type: ignore[attr-defined]

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changes = super().get_changelist_instance(request)
        note_reading(request, "conversations.aiinteraction")
        return changes

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        note_reading(request, "conversations.aiinteraction", context["original"].pk)
        return super().render_change_form(request, context, *args, **kwargs)

    def search_ending(self, queryset: QuerySet[Any], last: str) -> QuerySet[Any]:
        return queryset.ending_with(last)  # type: ignore[attr-defined,no-any-return]

    def heading(self, row: AIInteraction) -> str:
        return _("Reply to %(customer)s") % {"customer": number_in_groups(row.user_phone)}

    @admin.display(description=gettext_lazy("question"))
    def asked(self, row: Any) -> SafeString | str:
        return outside_text(row.question, 80) or _("(empty)")

    @admin.display(description=gettext_lazy("reply"))
    def answered(self, row: Any) -> SafeString | str:
        return outside_text(row.answer, 80) or _("(empty)")

    @admin.display(description=gettext_lazy("customer"))
    def customer(self, row: AIInteraction) -> SafeString | str:
        return phone(row.user_phone)
