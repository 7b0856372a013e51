"""Changes of a business's quota: the append-only history, and top-ups that end automatically."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from usage.models.profile import Profile


class QuotaChange(models.Model):
    """One change of a limit or counter: old and new value, who, when and why.

    Append-only: a trigger refuses updates and deletes. A trigger on `profiles` records changes made outside this app
    (the deployed job, the service), without a person and a reason.
    """

    class Kind(models.TextChoices):
        LIMIT = "limit", _("limit changed")
        TOP_UP = "top_up", _("top-up")
        TOP_UP_ENDED = "top_up_ended", _("top-up ended")
        TOP_UP_SUPERSEDED = "top_up_superseded", _("top-up replaced by a later change")
        RESET = "reset", _("counter reset")
        OUTSIDE = "outside", _("changed outside this app")

    business = models.ForeignKey(
        Profile, models.DO_NOTHING, db_constraint=False, related_name="quota_changes", verbose_name=_("business")
    )
    kind = models.CharField(_("what"), max_length=20, choices=Kind.choices)
    at = models.DateTimeField(_("when"))
    # No foreign key: it would make each change of a limit wait at its commit for a lock on our users.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("who"),
        db_constraint=False,
    )
    actor_name = models.TextField(_("name"), help_text=_("As it was at that time."))
    reason = models.TextField(_("why"))
    old_limit = models.IntegerField(_("limit before"))
    new_limit = models.IntegerField(_("limit after"))
    old_used = models.IntegerField(_("used before"))
    new_used = models.IntegerField(_("used after"))
    old_reset = models.DateTimeField(_("last reset before"), null=True)
    new_reset = models.DateTimeField(_("last reset after"), null=True)
    details = models.JSONField(_("details"), default=dict, help_text=_("Other counters reset at the same time."))

    class Meta:
        verbose_name = _("quota change")
        verbose_name_plural = _("quota changes")
        indexes = [models.Index(fields=["business", "at"], name="quota_changes_of_business")]
        constraints = [
            models.CheckConstraint(condition=Q(kind="outside") | ~Q(reason=""), name="quota_change_has_a_reason")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.business_id}"

    @property
    def limit_moved(self) -> bool:
        return self.old_limit != self.new_limit

    @property
    def counter_fell(self) -> bool:
        return self.new_used < self.old_used


class TopUp(models.Model):
    """Replies added to a limit until a time. Ends once: taken back, or replaced by a later change of the limit."""

    class Outcome(models.TextChoices):
        ACTIVE = "active", _("active")
        TAKEN_BACK = "taken_back", _("taken back")
        SUPERSEDED = "superseded", _("replaced by a later change")

    business = models.ForeignKey(
        Profile, models.DO_NOTHING, db_constraint=False, related_name="top_ups", verbose_name=_("business")
    )
    granted_by = models.OneToOneField(QuotaChange, models.PROTECT, related_name="+", verbose_name=_("granted by"))
    amount = models.PositiveIntegerField(_("replies"))
    granted_at = models.DateTimeField(_("from"))
    expires_at = models.DateTimeField(_("until"))
    reason = models.TextField(_("why"))
    outcome = models.CharField(_("state"), max_length=20, choices=Outcome.choices, default=Outcome.ACTIVE)
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("top-up")
        verbose_name_plural = _("top-ups")
        indexes = [
            # Read by the command that ends them, and by every change of a limit.
            models.Index(fields=["business", "expires_at"], condition=Q(outcome="active"), name="active_top_ups")
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="top_up_adds_something"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("granted_at")), name="top_up_ends_after_it_began"),
        ]

    def __str__(self) -> str:
        return f"+{self.amount}"
