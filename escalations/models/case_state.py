"""What the desk has made of an escalation, and who is looking at it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from escalations.models.closing import ClosingOutcome
from escalations.models.escalation import Escalation


class CaseState(models.Model):
    """One row per escalation, from the first action on; only the functions of `procedures` write it.

    Unclaimed, claimed or snoozed, never two of them; all is cleared when it is resolved. Claim and snooze are derived
    at read time (see `case_state`): a claim whose lease is over is none, nor is a snooze whose time has come or whose
    customer has written since. Whatever happens next notes that in the history.
    """

    escalation = models.OneToOneField(
        Escalation,
        models.DO_NOTHING,
        primary_key=True,
        db_constraint=False,
        related_name="state",
        verbose_name=_("escalation"),
    )
    version = models.PositiveIntegerField(_("version"), db_default=0, help_text=_("Counts changes of state."))

    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("claimed by")
    )
    claimed_by_name = models.TextField(_("name"), null=True, help_text=_("As it was at that moment."))
    claimed_at = models.DateTimeField(_("claimed"), null=True)
    lease_until = models.DateTimeField(_("claimed until"), null=True)

    snoozed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("snoozed by")
    )
    snoozed_by_name = models.TextField(_("name"), null=True, help_text=_("As it was at that moment."))
    snoozed_at = models.DateTimeField(_("snoozed"), null=True)
    snoozed_until = models.DateTimeField(
        _("snoozed until"), null=True, help_text=_("Empty: until the customer writes, which ends every snooze.")
    )

    outcome = models.ForeignKey(ClosingOutcome, models.PROTECT, null=True, related_name="+", verbose_name=_("outcome"))
    note = models.TextField(_("closing note"), db_default="")
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("resolved by")
    )

    class Meta:
        verbose_name = _("state of a case")
        verbose_name_plural = _("states of cases")
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
            # The desk's views of claimed and of snoozed cases.
            models.Index(fields=["claimed_by"], condition=models.Q(claimed_by__isnull=False), name="claimed_cases"),
            models.Index(fields=["snoozed_at"], condition=models.Q(snoozed_at__isnull=False), name="snoozed_cases"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Viewing(models.Model):
    """When a person last had a case's page before them."""

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
