"""WhatsApp numbers and their AI settings.

Left out because no page uses them: what the service does with calls (`reject_calls`) and the collection of data into
spreadsheets (`data_collection_config_id`); and `escalation_threshold`, which only older deployments have.
"""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from waops.access.personal import text
from waops.database.live_schema import ForeignTable


class WhatsAppInstance(ForeignTable):  # type: ignore[django-manager-missing]
    """A connected WhatsApp number of a business."""

    number_path = "pk"

    id = models.UUIDField(_("id"), primary_key=True, default=uuid.uuid4)
    business = models.ForeignKey(
        "usage.Profile",
        models.DO_NOTHING,
        db_column="user_id",
        db_constraint=False,
        related_name="instances",
        verbose_name=_("business"),
    )
    instance_name = models.TextField(_("name"))
    status = models.TextField(_("status"))
    last_connected = models.DateTimeField(_("last connected"), null=True)
    created_at = models.DateTimeField(_("added"))
    updated_at = models.DateTimeField(_("last changed"))
    escalation_enabled = models.BooleanField(_("escalation"), null=True)
    escalation_message = models.TextField(_("message when a customer is escalated"), null=True)
    escalated_conversation_message = models.TextField(_("message while a customer waits"), null=True)
    escalation_keywords = ArrayField(models.TextField(), verbose_name=_("escalation keywords"), null=True)
    smart_escalation_enabled = models.BooleanField(_("escalation by the AI"), null=True)
    keyword_escalation_enabled = models.BooleanField(_("escalation by keywords"), null=True)
    custom_escalation_enabled = models.BooleanField(_("escalation by custom instructions"), null=True)
    custom_escalation_instructions = models.TextField(_("custom escalation instructions"), null=True)

    class Meta(ForeignTable.Meta):
        managed = False
        db_table = "whatsapp_instances"
        ordering = ["instance_name"]
        verbose_name = _("WhatsApp number")
        verbose_name_plural = _("WhatsApp numbers")

    def __str__(self) -> str:
        return text(self.instance_name)


class AIConfig(ForeignTable):
    """AI settings of one WhatsApp number."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid.uuid4)
    business = models.ForeignKey(
        "usage.Profile",
        models.DO_NOTHING,
        db_column="user_id",
        db_constraint=False,
        related_name="ai_configs",
        verbose_name=_("business"),
    )
    instance = models.ForeignKey(
        WhatsAppInstance,
        models.DO_NOTHING,
        db_column="whatsapp_instance_id",
        db_constraint=False,
        related_name="ai_configs",
        verbose_name=_("WhatsApp number"),
    )
    system_prompt = models.TextField(_("AI instructions"))
    is_active = models.BooleanField(_("active"))
    temperature = models.DecimalField(_("temperature"), max_digits=10, decimal_places=2)
    created_at = models.DateTimeField(_("added"))
    updated_at = models.DateTimeField(_("last changed"))
    process_voice_messages = models.BooleanField(_("replies to voice messages"))
    voice_message_default_response = models.TextField(_("reply to voice messages"), null=True)
    default_voice_language = models.TextField(_("voice message language"))
    use_personality_system = models.BooleanField(_("chooses a personality"), null=True)
    fallback_personality = models.ForeignKey(
        "conversations.AIPersonality",
        models.DO_NOTHING,
        db_column="fallback_personality_id",
        db_constraint=False,
        null=True,
        related_name="+",
        verbose_name=_("default personality"),
    )
    intent_recognition_enabled = models.BooleanField(_("detects intent"))
    intent_confidence_threshold = models.DecimalField(
        _("confidence required for an intent"), max_digits=3, decimal_places=2, null=True
    )
    total_personality_switches = models.IntegerField(_("personality changes"), null=True)
    intent_recognition_accuracy = models.DecimalField(_("intent accuracy"), max_digits=5, decimal_places=4, null=True)
    personality_system_metadata = models.JSONField(_("details"), null=True)

    class Meta(ForeignTable.Meta):
        managed = False
        db_table = "whatsapp_ai_config"
        verbose_name = _("AI setting")
        verbose_name_plural = _("AI settings")

    def __str__(self) -> str:
        return str(self.pk)


class AIPersonality(ForeignTable):
    """A prompt that the AI of a WhatsApp number chooses by intent."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid.uuid4)
    instance = models.ForeignKey(
        WhatsAppInstance,
        models.DO_NOTHING,
        db_column="whatsapp_instance_id",
        db_constraint=False,
        related_name="personalities",
        verbose_name=_("WhatsApp number"),
    )
    business = models.ForeignKey(
        "usage.Profile",
        models.DO_NOTHING,
        db_column="user_id",
        db_constraint=False,
        related_name="personalities",
        verbose_name=_("business"),
    )
    name = models.CharField(_("name"), max_length=100)
    description = models.TextField(_("description"), null=True)
    system_prompt = models.TextField(_("AI instructions"))
    temperature = models.DecimalField(_("temperature"), max_digits=3, decimal_places=2, null=True)
    model = models.CharField(_("model"), max_length=50, null=True)
    intent_categories = models.JSONField(_("intents"), null=True)
    is_active = models.BooleanField(_("active"), null=True)
    is_default = models.BooleanField(_("default"), null=True)
    priority = models.IntegerField(_("priority"), null=True)
    process_voice_messages = models.BooleanField(_("replies to voice messages"), null=True)
    voice_message_default_response = models.TextField(_("reply to voice messages"), null=True)
    default_voice_language = models.CharField(_("voice message language"), max_length=10, null=True)
    usage_count = models.IntegerField(_("times used"), null=True)
    is_template = models.BooleanField(_("template"), null=True)
    template_category = models.CharField(_("template type"), max_length=50, null=True)
    created_at = models.DateTimeField(_("added"), null=True)
    updated_at = models.DateTimeField(_("last changed"), null=True)

    class Meta(ForeignTable.Meta):
        managed = False
        db_table = "ai_personalities"
        ordering = ["name"]
        verbose_name = _("AI personality")
        verbose_name_plural = _("AI personalities")

    def __str__(self) -> str:
        return text(self.name)
