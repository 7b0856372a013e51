"""WhatsApp numbers and how their AI answers.

Left out: what the service does with calls (`reject_calls`) and the collection of data into spreadsheets
(`data_collection_config_id`), which nobody looks at here; `escalation_threshold`, which only older deployments have.
"""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from waops.live_schema import ForeignTable


class WhatsAppInstance(ForeignTable):
    """A connected WhatsApp number of a business."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    business = models.ForeignKey(
        "usage.Profile",
        models.DO_NOTHING,
        db_column="user_id",
        db_constraint=False,
        related_name="instances",
        verbose_name=_("business"),
    )
    instance_name = models.TextField(_("instance name"))
    status = models.TextField(_("status"))
    last_connected = models.DateTimeField(_("last connected"), null=True)
    created_at = models.DateTimeField(_("created at"))
    updated_at = models.DateTimeField(_("updated at"))
    escalation_enabled = models.BooleanField(_("escalation enabled"), null=True)
    escalation_message = models.TextField(_("escalation message"), null=True)
    escalated_conversation_message = models.TextField(_("escalated conversation message"), null=True)
    escalation_keywords = ArrayField(models.TextField(), verbose_name=_("escalation keywords"), null=True)
    smart_escalation_enabled = models.BooleanField(_("smart escalation enabled"), null=True)
    keyword_escalation_enabled = models.BooleanField(_("keyword escalation enabled"), null=True)
    custom_escalation_enabled = models.BooleanField(_("custom escalation enabled"), null=True)
    custom_escalation_instructions = models.TextField(_("custom escalation instructions"), null=True)

    class Meta(ForeignTable.Meta):
        managed = False
        db_table = "whatsapp_instances"
        ordering = ["instance_name"]
        verbose_name = _("WhatsApp number")
        verbose_name_plural = _("WhatsApp numbers")

    def __str__(self) -> str:
        return self.instance_name


class AIConfig(ForeignTable):
    """How the AI of one WhatsApp number answers."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
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
        verbose_name=_("instance"),
    )
    system_prompt = models.TextField(_("system prompt"))
    is_active = models.BooleanField(_("is active"))
    temperature = models.DecimalField(_("temperature"), max_digits=10, decimal_places=2)
    created_at = models.DateTimeField(_("created at"))
    updated_at = models.DateTimeField(_("updated at"))
    process_voice_messages = models.BooleanField(_("process voice messages"))
    voice_message_default_response = models.TextField(_("voice message default response"), null=True)
    default_voice_language = models.TextField(_("default voice language"))
    use_personality_system = models.BooleanField(_("use personality system"), null=True)
    fallback_personality = models.ForeignKey(
        "conversations.AIPersonality",
        models.DO_NOTHING,
        db_column="fallback_personality_id",
        db_constraint=False,
        null=True,
        related_name="+",
        verbose_name=_("fallback personality"),
    )
    intent_recognition_enabled = models.BooleanField(_("intent recognition enabled"))
    intent_confidence_threshold = models.DecimalField(
        _("intent confidence threshold"), max_digits=3, decimal_places=2, null=True
    )
    total_personality_switches = models.IntegerField(_("total personality switches"), null=True)
    intent_recognition_accuracy = models.DecimalField(
        _("intent recognition accuracy"), max_digits=5, decimal_places=4, null=True
    )
    personality_system_metadata = models.JSONField(_("personality system metadata"), null=True)

    class Meta(ForeignTable.Meta):
        managed = False
        db_table = "whatsapp_ai_config"
        verbose_name = _("AI setting")
        verbose_name_plural = _("AI settings")

    def __str__(self) -> str:
        return str(self.pk)


class AIPersonality(ForeignTable):
    """A prompt that the AI of a WhatsApp number chooses by intent."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    instance = models.ForeignKey(
        WhatsAppInstance,
        models.DO_NOTHING,
        db_column="whatsapp_instance_id",
        db_constraint=False,
        related_name="personalities",
        verbose_name=_("instance"),
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
    system_prompt = models.TextField(_("system prompt"))
    temperature = models.DecimalField(_("temperature"), max_digits=3, decimal_places=2, null=True)
    model = models.CharField(_("model"), max_length=50, null=True)
    intent_categories = models.JSONField(_("intent categories"), null=True)
    is_active = models.BooleanField(_("is active"), null=True)
    is_default = models.BooleanField(_("is default"), null=True)
    priority = models.IntegerField(_("priority"), null=True)
    process_voice_messages = models.BooleanField(_("process voice messages"), null=True)
    voice_message_default_response = models.TextField(_("voice message default response"), null=True)
    default_voice_language = models.CharField(_("default voice language"), max_length=10, null=True)
    usage_count = models.IntegerField(_("usage count"), null=True)
    is_template = models.BooleanField(_("is template"), null=True)
    template_category = models.CharField(_("template category"), max_length=50, null=True)
    created_at = models.DateTimeField(_("created at"), null=True)
    updated_at = models.DateTimeField(_("updated at"), null=True)

    class Meta(ForeignTable.Meta):
        managed = False
        db_table = "ai_personalities"
        ordering = ["name"]
        verbose_name = _("AI personality")
        verbose_name_plural = _("AI personalities")

    def __str__(self) -> str:
        return self.name
