"""The desk's state of escalations, who is viewing them, and their history."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from escalations.models.escalation import Escalation
from escalations.models.settings import ClosingOutcome


class EscalationState(models.Model):
    """One row per escalation, from the first action on; only the functions of `procedures` write it.

    Unclaimed, claimed or snoozed, never two of them; everything is cleared when it is resolved. Claims and snoozes are
    evaluated at read time (see `with_state`): a claim ends with its lease, a snooze when its time comes or the
    customer writes. The next action records that in the history.
    """

    escalation = models.OneToOneField(
        Escalation,
        models.DO_NOTHING,
        primary_key=True,
        db_constraint=False,
        related_name="state",
        verbose_name=_("escalation"),
    )
    version = models.PositiveIntegerField(
        _("version"), db_default=0, help_text=_("Increases with every change of state.")
    )

    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("claimed by")
    )
    claimed_by_name = models.TextField(_("name"), null=True, help_text=_("As it was at that time."))
    claimed_at = models.DateTimeField(_("claimed"), null=True)
    lease_until = models.DateTimeField(_("claimed until"), null=True)

    snoozed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("snoozed by")
    )
    snoozed_by_name = models.TextField(_("name"), null=True, help_text=_("As it was at that time."))
    snoozed_at = models.DateTimeField(_("snoozed"), null=True)
    snoozed_until = models.DateTimeField(
        _("snoozed until"),
        null=True,
        help_text=_("Empty: until the customer writes. A message from the customer ends every snooze."),
    )

    # A message is new if it is not older than those seen and not one of them: a transaction that began before the
    # snooze
    # can store it later.
    snoozed_seen_after = models.DateTimeField(
        _("seen"), null=True, help_text=_("Older messages count as seen. Empty: messages before the snooze.")
    )
    snoozed_seen = ArrayField(models.UUIDField(), verbose_name=_("messages seen"), db_default=[])

    outcome = models.ForeignKey(ClosingOutcome, models.PROTECT, null=True, related_name="+", verbose_name=_("outcome"))
    note = models.TextField(_("closing note"), db_default="")
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("resolved by")
    )

    class Meta:
        verbose_name = _("escalation state")
        verbose_name_plural = _("escalation states")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(claimed_by=None, claimed_by_name=None, claimed_at=None, lease_until=None)
                | models.Q(
                    claimed_by__isnull=False,
                    claimed_by_name__isnull=False,
                    claimed_at__isnull=False,
                    lease_until__isnull=False,
                ),
                name="claim_is_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(snoozed_by=None, snoozed_by_name=None, snoozed_at=None, snoozed_until=None)
                | models.Q(snoozed_by__isnull=False, snoozed_by_name__isnull=False, snoozed_at__isnull=False),
                name="snooze_is_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(claimed_by=None) | models.Q(snoozed_by=None), name="claimed_or_snoozed"
            ),
        ]
        indexes = [
            # The desk's views of claimed and snoozed escalations.
            models.Index(
                fields=["claimed_by"], condition=models.Q(claimed_by__isnull=False), name="claimed_escalations"
            ),
            models.Index(
                fields=["snoozed_at"], condition=models.Q(snoozed_at__isnull=False), name="snoozed_escalations"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Viewing(models.Model):
    """When a person last had an escalation's page open."""

    escalation_id = models.UUIDField(_("escalation"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("who"))
    seen_at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("viewing")
        verbose_name_plural = _("viewings")
        constraints = [models.UniqueConstraint(fields=["escalation_id", "user"], name="one_viewing_per_person")]
        indexes = [models.Index(fields=["seen_at"], name="viewings_by_time")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.escalation_id}"


class Event(models.Model):
    """Something that happened to an escalation at the desk. Append-only: a trigger refuses updates and
    deletes.

    Customer and instance are stored, so that the history outlives the service's row. The comments list the `details` of
    each kind.
    """

    class Kind(models.TextChoices):
        """An event that ended a colleague's claim also has {from, from_name}."""

        ESCALATED = "escalated", _("escalated by staff")  # {note}
        RECOVERED = "recovered", _("missed escalation added to the queue")  # {told_at}; no actor: the repair did it
        CLAIMED = "claimed", _("claimed")  # {until}
        HANDED_OVER = "handed_over", _("handed over")  # {to, to_name, until}
        RELEASED = "released", _("released")
        LAPSED = "lapsed", _("claim expired")  # the actor is the person who had claimed it
        SNOOZED = "snoozed", _("snoozed")  # {until}, null: until the customer writes
        WOKEN = "woken", _("woken")  # {by: person, time or customer}; without an actor unless a person did it
        REPLIED = "replied", _("replied")  # {reply}, the id of a Reply
        NOTED = "noted", _("note")  # {note}
        RESOLVED = "resolved", _("resolved")  # {outcome, note} if they were given
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
    actor_name = models.TextField(_("name"), help_text=_("As it was at that time."))
    details = models.JSONField(_("details"), default=dict)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("history")
        indexes = [models.Index(fields=["escalation_id", "at"], name="events_of_escalation")]

    def __str__(self) -> str:
        return f"{self.kind} {self.escalation_id}"
