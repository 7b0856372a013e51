"""The history of what happened to escalations at the desk."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Event(models.Model):
    """Something that happened to an escalation at the desk. Append-only: a trigger refuses updates and deletes.

    Customer and instance are kept, so that the history outlives the foreign row. `details` of each kind are listed
    beside it.
    """

    class Kind(models.TextChoices):
        """Whatever ended a colleague's claim has {from, from_name} beside what is listed here."""

        ESCALATED = "escalated", _("escalated by hand")  # {note}
        CLAIMED = "claimed", _("claimed")  # {until}
        HANDED_OVER = "handed_over", _("handed over")  # {to, to_name, until}
        RELEASED = "released", _("released")
        LAPSED = "lapsed", _("claim lapsed")  # the actor is who had claimed it
        SNOOZED = "snoozed", _("snoozed")  # {until}, null: until the customer writes
        WOKEN = "woken", _("woken")  # {by: person, time or customer}; without an actor unless a person did it
        NOTED = "noted", _("note")  # {note}
        RESOLVED = "resolved", _("resolved")  # {outcome, note} where they were given
        MERGED = "merged", _("closed as a duplicate")  # {into}
        REOPENED = "reopened", _("reopened")

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
