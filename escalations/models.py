"""Escalations, of the existing database, and the history of what staff did with them, which is ours.

`resolved_by` refers to `auth.users`, where staff usually are not: who resolved is in Event.
"""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models import WhatsAppInstance
from waops.live_schema import ForeignTable


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
        permissions = [("resolve_escalation", _("Can resolve escalations"))]

    def __str__(self) -> str:
        return self.whatsapp_number


class Event(models.Model):
    """Something a member of staff did with an escalation. Append-only: a trigger refuses updates and deletes.

    Customer and instance are kept, so that the history outlives the foreign row.
    """

    class Kind(models.TextChoices):
        RESOLVED = "resolved", _("resolved")
        MERGED = "merged", _("closed as a duplicate")

    escalation_id = models.UUIDField(_("escalation"))
    instance_id = models.UUIDField(_("WhatsApp number"), null=True)
    whatsapp_number = models.TextField(_("customer"))
    kind = models.CharField(_("what"), max_length=20, choices=Kind.choices)
    at = models.DateTimeField(_("when"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("who")
    )
    actor_name = models.TextField(_("name"), help_text=_("As it was at that moment."))
    details = models.JSONField(_("details"), default=dict)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("history")
        indexes = [models.Index(fields=["escalation_id", "at"], name="events_of_escalation")]

    def __str__(self) -> str:
        return f"{self.kind} {self.escalation_id}"
