"""Conversations, their messages and the AI's answers."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models.instance import WhatsAppInstance
from waops.live_schema import ForeignTable


class Conversation(ForeignTable):
    """All that one customer and one WhatsApp number wrote to each other: one row for ever."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    instance = models.ForeignKey(
        WhatsAppInstance,
        models.DO_NOTHING,
        db_column="instance_id",
        db_constraint=False,
        related_name="conversations",
        verbose_name=_("instance"),
    )
    user_phone = models.TextField(_("user phone"))
    started_at = models.DateTimeField(_("started at"))
    last_activity = models.DateTimeField(_("last activity"))
    status = models.TextField(_("status"))
    conversation_data = models.JSONField(_("conversation data"), null=True)

    class Meta(ForeignTable.Meta):
        managed = False
        db_table = "whatsapp_conversations"
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")

    def __str__(self) -> str:
        return self.user_phone


class Message(ForeignTable):
    """One message; the largest table."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    conversation = models.ForeignKey(
        Conversation,
        models.DO_NOTHING,
        db_column="conversation_id",
        db_constraint=False,
        related_name="messages",
        verbose_name=_("conversation"),
    )
    timestamp = models.DateTimeField(_("timestamp"))
    role = models.TextField(_("role"))
    content = models.TextField(_("content"))
    message_id = models.TextField(_("message id"), null=True)
    metadata = models.JSONField(_("metadata"), null=True)

    class Meta(ForeignTable.Meta):
        managed = False
        db_table = "whatsapp_conversation_messages"
        verbose_name = _("message")
        verbose_name_plural = _("messages")

    def __str__(self) -> str:
        return str(self.pk)


class AIInteraction(ForeignTable):
    """One answer of the AI. Related to its conversation by instance and phone only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    instance = models.ForeignKey(
        WhatsAppInstance,
        models.DO_NOTHING,
        db_column="whatsapp_instance_id",
        db_constraint=False,
        related_name="interactions",
        verbose_name=_("instance"),
    )
    user_message = models.TextField(_("user message"))
    user_phone = models.TextField(_("user phone"))
    ai_response = models.TextField(_("ai response"))
    context_token_count = models.IntegerField(_("context token count"), null=True)
    search_result_count = models.IntegerField(_("search result count"), null=True)
    response_model = models.TextField(_("response model"), null=True)
    prompt_tokens = models.IntegerField(_("prompt tokens"), null=True)
    completion_tokens = models.IntegerField(_("completion tokens"), null=True)
    total_tokens = models.IntegerField(_("total tokens"), null=True)
    created_at = models.DateTimeField(_("created at"))
    updated_at = models.DateTimeField(_("updated at"))
    metadata = models.JSONField(_("metadata"), null=True)

    class Meta(ForeignTable.Meta):
        managed = False
        db_table = "whatsapp_ai_interactions"
        verbose_name = _("AI answer")
        verbose_name_plural = _("AI answers")

    def __str__(self) -> str:
        return str(self.pk)
