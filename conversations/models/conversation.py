"""Conversations, their messages and the AI's answers."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models.instance import WhatsAppInstance
from conversations.queries import AIInteractionQuerySet, ConversationQuerySet, MessageQuerySet
from waops.live_schema import ForeignTable, ForeignTableManager
from waops.personal import number_as_stored


class Conversation(ForeignTable):  # type: ignore[django-manager-missing]
    """All that one customer and one WhatsApp number wrote to each other: one row for ever."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid.uuid4)
    instance = models.ForeignKey(
        WhatsAppInstance,
        models.DO_NOTHING,
        db_column="instance_id",
        db_constraint=False,
        related_name="conversations",
        verbose_name=_("WhatsApp number"),
    )
    user_phone = models.TextField(_("customer"))
    started_at = models.DateTimeField(_("began"))
    last_activity = models.DateTimeField(_("last message"))
    status = models.TextField(_("status"))
    conversation_data = models.JSONField(_("data of the service"), null=True)

    objects: ClassVar[Any] = ForeignTableManager.from_queryset(ConversationQuerySet)()

    class Meta(ForeignTable.Meta):
        managed = False
        db_table = "whatsapp_conversations"
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")

    def __str__(self) -> str:
        return number_as_stored(self.user_phone)


HOLD_TEXTS = ("escalated_", "escalation_")
"""How the message ids begin of the texts that the service sends to whoever is handed over and waits."""


class Message(ForeignTable):
    """One message; the largest table."""

    number_path = "conversation__instance"

    id = models.UUIDField(_("id"), primary_key=True, default=uuid.uuid4)
    conversation = models.ForeignKey(
        Conversation,
        models.DO_NOTHING,
        db_column="conversation_id",
        db_constraint=False,
        related_name="messages",
        verbose_name=_("conversation"),
    )
    timestamp = models.DateTimeField(_("time"))
    role = models.TextField(_("written by"))
    content = models.TextField(_("text"))
    message_id = models.TextField(_("WhatsApp's id"), null=True)
    metadata = models.JSONField(_("details"), null=True)

    objects: ClassVar[Any] = ForeignTableManager.from_queryset(MessageQuerySet)()

    class Meta(ForeignTable.Meta):
        managed = False
        db_table = "whatsapp_conversation_messages"
        verbose_name = _("message")
        verbose_name_plural = _("messages")

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def is_hold_text(self) -> bool:
        return (self.message_id or "").startswith(HOLD_TEXTS)


class AIInteraction(ForeignTable):
    """One answer of the AI. Related to its conversation by instance and phone only."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid.uuid4)
    instance = models.ForeignKey(
        WhatsAppInstance,
        models.DO_NOTHING,
        db_column="whatsapp_instance_id",
        db_constraint=False,
        related_name="interactions",
        verbose_name=_("WhatsApp number"),
    )
    user_message = models.TextField(_("question"))
    user_phone = models.TextField(_("customer"))
    ai_response = models.TextField(_("answer"))
    context_token_count = models.IntegerField(_("tokens of context"), null=True)
    search_result_count = models.IntegerField(_("search results used"), null=True)
    response_model = models.TextField(_("model"), null=True)
    prompt_tokens = models.IntegerField(_("tokens of the prompt"), null=True)
    completion_tokens = models.IntegerField(_("tokens of the answer"), null=True)
    total_tokens = models.IntegerField(_("tokens in all"), null=True)
    created_at = models.DateTimeField(_("time"))
    updated_at = models.DateTimeField(_("last changed"))
    metadata = models.JSONField(_("details"), null=True)

    objects: ClassVar[Any] = ForeignTableManager.from_queryset(AIInteractionQuerySet)()

    class Meta(ForeignTable.Meta):
        managed = False
        db_table = "whatsapp_ai_interactions"
        verbose_name = _("AI answer")
        verbose_name_plural = _("AI answers")

    def __str__(self) -> str:
        return str(self.pk)
