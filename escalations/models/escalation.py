"""Escalations, from the existing database.

`resolved_by` refers to `auth.users`, where staff usually have no rows: Event records who resolved it.
"""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models import WhatsAppInstance
from waops.access.personal import number_as_stored, text
from waops.database.live_schema import ForeignTable

REASONS = {
    "user_request": _("Customer asked for a person"),
    "ai_detected_intent": _("Detected by AI"),
    "custom_ai_instructions": _("Custom rule of the business"),
    "ai_failure": _("AI failed"),
    "sensitive_topic": _("Sensitive topic"),
    "low_confidence": _("AI was unsure"),
    "repeated_question": _("Repeated question"),
}


def reason_in_words(reason: str | None) -> str:
    """An unknown reason is shown unchanged, without numbers that this reader may not see."""
    if not reason:
        return str(_("No reason given"))
    return str(REASONS.get(reason) or text(reason))


class Escalation(ForeignTable):
    """A customer escalated to a person; open while `resolved_at` is NULL."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    whatsapp_number = models.TextField(_("customer's number"))
    instance = models.ForeignKey(
        WhatsAppInstance,
        models.DO_NOTHING,
        db_column="instance_id",
        db_constraint=False,
        null=True,
        related_name="escalations",
        verbose_name=_("WhatsApp number"),
    )
    escalated_at = models.DateTimeField(_("escalated at"), null=True)
    reason = models.TextField(_("reason"), null=True)
    conversation_context = models.JSONField(_("conversation context"), null=True)
    resolved_at = models.DateTimeField(_("resolved at"), null=True)
    resolved_by = models.UUIDField(_("resolved by"), null=True)
    created_at = models.DateTimeField(_("created at"), null=True)

    class Meta(ForeignTable.Meta):
        managed = False
        db_table = "escalated_conversations"
        verbose_name = _("escalation")
        verbose_name_plural = _("escalations")
        permissions = [
            ("resolve_escalation", _("Can resolve escalations")),
            ("reopen_escalation", _("Can reopen escalations")),
            ("claim_escalation", _("Can claim, hand over, snooze and annotate escalations")),
            ("reply_escalation", _("Can reply to customers")),
            ("open_escalation", _("Can escalate conversations")),
            ("override_escalation", _("Can act on escalations that a colleague has claimed")),
            ("export_escalation", _("Can export escalations")),
        ]

    def __str__(self) -> str:
        return number_as_stored(self.whatsapp_number)
