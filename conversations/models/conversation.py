"""Conversations, their messages and AI replies."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models.instance import WhatsAppInstance
from conversations.queries import AIInteractionQuerySet, ConversationQuerySet, MessageQuerySet
from waops.access.personal import number_as_stored
from waops.database.live_schema import ForeignTable, ForeignTableManager


class Conversation(ForeignTable):  # type: ignore[django-manager-missing]
    """Everything that one customer and one WhatsApp number wrote to each other: one row, reused forever."""

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
    started_at = models.DateTimeField(_("started"))
    last_activity = models.DateTimeField(_("last message"))
    status = models.TextField(_("status"))
    conversation_data = models.JSONField(_("service data"), null=True)

    objects: ClassVar[Any] = ForeignTableManager.from_queryset(ConversationQuerySet)()

    class Meta(ForeignTable.Meta):
        managed = False
        db_table = "whatsapp_conversations"
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")

    def __str__(self) -> str:
        return number_as_stored(self.user_phone)


HOLD_TEXTS = ("escalated_", "escalation_")
"""Beginnings of the message ids of texts that the service sends to a waiting customer."""

REPLIES = "human_"
"""Beginnings of the message ids of replies that staff wrote at the desk."""


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

    @property
    def is_reply(self) -> bool:
        return (self.message_id or "").startswith(REPLIES)


class AIInteraction(ForeignTable):
    """One AI reply. Related to its conversation only by instance and phone."""

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
    ai_response = models.TextField(_("reply"))
    context_token_count = models.IntegerField(_("context tokens"), null=True)
    search_result_count = models.IntegerField(_("search results used"), null=True)
    response_model = models.TextField(_("model"), null=True)
    prompt_tokens = models.IntegerField(_("prompt tokens"), null=True)
    completion_tokens = models.IntegerField(_("reply tokens"), null=True)
    total_tokens = models.IntegerField(_("total tokens"), null=True)
    created_at = models.DateTimeField(_("time"))
    updated_at = models.DateTimeField(_("last changed"))
    metadata = models.JSONField(_("details"), null=True)

    objects: ClassVar[Any] = ForeignTableManager.from_queryset(AIInteractionQuerySet)()

    class Meta(ForeignTable.Meta):
        managed = False
        db_table = "whatsapp_ai_interactions"
        verbose_name = _("AI reply")
        verbose_name_plural = _("AI replies")

    def __str__(self) -> str:
        return str(self.pk)
