"""WhatsApp numbers and how their AI answers.

Left out: what the service does with calls (`reject_calls`) and the collection of data into spreadsheets
(`data_collection_config_id`), which nobody looks at here; `escalation_threshold`, which only older deployments have.
"""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from waops.live_schema import ForeignTable


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
    escalation_keywords = ArrayField(models.TextField(), verbose_name=_("words that escalate"), null=True)
    smart_escalation_enabled = models.BooleanField(_("escalation by the AI"), null=True)
    keyword_escalation_enabled = models.BooleanField(_("escalation by words"), null=True)
    custom_escalation_enabled = models.BooleanField(_("escalation by own instructions"), null=True)
    custom_escalation_instructions = models.TextField(_("own instructions for escalation"), null=True)

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
    system_prompt = models.TextField(_("instructions to the AI"))
    is_active = models.BooleanField(_("active"))
    temperature = models.DecimalField(_("temperature"), max_digits=10, decimal_places=2)
    created_at = models.DateTimeField(_("added"))
    updated_at = models.DateTimeField(_("last changed"))
    process_voice_messages = models.BooleanField(_("answers voice messages"))
    voice_message_default_response = models.TextField(_("answer to voice messages"), null=True)
    default_voice_language = models.TextField(_("language of voice messages"))
    use_personality_system = models.BooleanField(_("chooses among personalities"), null=True)
    fallback_personality = models.ForeignKey(
        "conversations.AIPersonality",
        models.DO_NOTHING,
        db_column="fallback_personality_id",
        db_constraint=False,
        null=True,
        related_name="+",
        verbose_name=_("personality when none fits"),
    )
    intent_recognition_enabled = models.BooleanField(_("recognises intent"))
    intent_confidence_threshold = models.DecimalField(
        _("confidence needed for an intent"), max_digits=3, decimal_places=2, null=True
    )
    total_personality_switches = models.IntegerField(_("changes of personality"), null=True)
    intent_recognition_accuracy = models.DecimalField(
        _("accuracy of intents"), max_digits=5, decimal_places=4, null=True
    )
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
    system_prompt = models.TextField(_("instructions to the AI"))
    temperature = models.DecimalField(_("temperature"), max_digits=3, decimal_places=2, null=True)
    model = models.CharField(_("model"), max_length=50, null=True)
    intent_categories = models.JSONField(_("intents"), null=True)
    is_active = models.BooleanField(_("active"), null=True)
    is_default = models.BooleanField(_("default"), null=True)
    priority = models.IntegerField(_("priority"), null=True)
    process_voice_messages = models.BooleanField(_("answers voice messages"), null=True)
    voice_message_default_response = models.TextField(_("answer to voice messages"), null=True)
    default_voice_language = models.CharField(_("language of voice messages"), max_length=10, null=True)
    usage_count = models.IntegerField(_("times used"), null=True)
    is_template = models.BooleanField(_("template"), null=True)
    template_category = models.CharField(_("kind of template"), max_length=50, null=True)
    created_at = models.DateTimeField(_("added"), null=True)
    updated_at = models.DateTimeField(_("last changed"), null=True)

    class Meta(ForeignTable.Meta):
        managed = False
        db_table = "ai_personalities"
        ordering = ["name"]
        verbose_name = _("AI personality")
        verbose_name_plural = _("AI personalities")

    def __str__(self) -> str:
        return self.name
