"""Tables that some deployments lack."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models.instance import WhatsAppInstance
from waops.access.personal import number_as_stored
from waops.access.personal import text as personal_text
from waops.database.live_schema import OptionalTable
from waops.database.long_text import LONGEST_NAME, cut


class SupportTeamNumber(OptionalTable):
    """A number that is notified of escalations. Not in every deployment."""

    business_path = "business"

    id = models.UUIDField(_("id"), primary_key=True, default=uuid.uuid4)
    business = models.ForeignKey(
        "usage.Profile",
        models.DO_NOTHING,
        db_column="user_id",
        db_constraint=False,
        null=True,
        related_name="support_numbers",
        verbose_name=_("business"),
    )
    whatsapp_number = models.TextField(_("number"))
    is_active = models.BooleanField(_("active"), null=True)
    created_at = models.DateTimeField(_("added"), null=True)
    updated_at = models.DateTimeField(_("last changed"), null=True)
    instance = models.ForeignKey(
        WhatsAppInstance,
        models.DO_NOTHING,
        db_column="whatsapp_instance_id",
        db_constraint=False,
        null=True,
        related_name="support_numbers",
        verbose_name=_("WhatsApp number"),
    )

    class Meta(OptionalTable.Meta):
        managed = False
        db_table = "support_team_numbers"
        ordering = ["whatsapp_number"]
        verbose_name = _("support team number")
        verbose_name_plural = _("support team numbers")

    def __str__(self) -> str:
        return number_as_stored(self.whatsapp_number)


class CustomerProfile(OptionalTable):
    """A customer's profile. Not in every deployment."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid.uuid4)
    instance = models.ForeignKey(
        WhatsAppInstance,
        models.DO_NOTHING,
        db_column="whatsapp_instance_id",
        db_constraint=False,
        related_name="customers",
        verbose_name=_("WhatsApp number"),
    )
    phone_number = models.TextField(_("phone"))
    name = models.TextField(_("name"), null=True)
    email = models.TextField(_("email"), null=True)
    company = models.TextField(_("company"), null=True)
    customer_stage = models.TextField(_("stage"), null=True)
    tags = ArrayField(models.TextField(), verbose_name=_("tags"), null=True)
    conversation_summary = models.TextField(_("summary"), null=True)
    key_points = models.JSONField(_("key points"), null=True)
    preferences = models.JSONField(_("preferences"), null=True)
    last_interaction = models.DateTimeField(_("last message"), null=True)
    first_interaction = models.DateTimeField(_("first message"), null=True)
    total_messages = models.IntegerField(_("messages"), null=True)
    ai_interactions = models.IntegerField(_("AI replies"), null=True)
    customer_intent = models.TextField(_("intent"), null=True)
    customer_mood = models.TextField(_("mood"), null=True)
    urgency_level = models.TextField(_("urgency"), null=True)
    communication_style = models.TextField(_("style"), null=True)
    journey_stage = models.TextField(_("journey stage"), null=True)
    created_at = models.DateTimeField(_("added"), null=True)
    updated_at = models.DateTimeField(_("last changed"), null=True)
    last_summary_update = models.DateTimeField(_("summary written at"), null=True)
    action_items = models.JSONField(_("to do"), null=True)
    messages_since_last_summary = models.IntegerField(_("messages since the summary"), null=True)

    class Meta(OptionalTable.Meta):
        managed = False
        db_table = "customer_profiles"
        verbose_name = _("customer")
        verbose_name_plural = _("customers")

    def __str__(self) -> str:
        return personal_text(cut(self.name, LONGEST_NAME)) if self.name else number_as_stored(self.phone_number)
