"""Escalations, of the existing database.

`resolved_by` refers to `auth.users`, where staff usually are not: who resolved is in Event.
"""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models import WhatsAppInstance
from waops.live_schema import ForeignTable
from waops.personal import number_as_stored


class Escalation(ForeignTable):
    """A customer handed to a human; open while `resolved_at` is null."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    whatsapp_number = models.TextField(_("whatsapp number"))
    instance = models.ForeignKey(
        WhatsAppInstance,
        models.DO_NOTHING,
        db_column="instance_id",
        db_constraint=False,
        null=True,
        related_name="escalations",
        verbose_name=_("instance"),
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
            ("open_escalation", _("Can escalate conversations")),
            ("override_escalation", _("Can act on escalations that a colleague has claimed")),
            ("export_escalation", _("Can export cases")),
        ]

    def __str__(self) -> str:
        return number_as_stored(self.whatsapp_number)
