"""Quota alerts: who wants which, what was due, and the result of each message."""

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, validate_email
from django.db import models
from django.utils.translation import gettext_lazy as _

from usage.models.profile import Profile, one_default

DEFAULT_THRESHOLDS = (50, 80, 100)


def default_thresholds() -> list[int]:
    return list(DEFAULT_THRESHOLDS)


class AlertRule(models.Model):
    """The alerts of one business; without a business, of all that have no rule."""

    business = models.OneToOneField(
        Profile,
        models.DO_NOTHING,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="alert_rule",
        verbose_name=_("business"),
        help_text=_("Empty: every business without its own rule."),
    )
    thresholds = ArrayField(
        models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(100)]),
        default=default_thresholds,
        blank=True,
        verbose_name=_("at these percentages"),
        help_text=_("Percentages of the limit, such as 50,80,100."),
    )
    forecast = models.BooleanField(_("when it will run out before the reset"), default=True)
    emails = models.TextField(
        _("e-mail to"), blank=True, help_text=_("One address per line. Empty: no e-mail is sent.")
    )
    webhook = models.BooleanField(
        _("call the webhook"), default=True, help_text=_("Calls QUOTA_WEBHOOK_URL from the environment, if set.")
    )
    language = models.CharField(
        _("language"), max_length=2, choices=[("en", _("English")), ("ar", _("Arabic"))], default="en"
    )

    class Meta:
        verbose_name = _("alert rule")
        verbose_name_plural = _("alert rules")
        constraints = [one_default("one_default_alert_rule")]

    def __str__(self) -> str:
        return Profile.name_of(self) if self.business_id else str(_("All others"))

    @property
    def addresses(self) -> list[str]:
        return [line.strip() for line in self.emails.splitlines() if line.strip()]

    def clean(self) -> None:
        for address in self.addresses:
            try:
                validate_email(address)
            except ValidationError:
                raise ValidationError(
                    {"emails": _("“%(address)s” is not an e-mail address.") % {"address": address}}
                ) from None


class Alert(models.Model):
    """A threshold that a business reached in a period (`period` is the reset before it). Recorded once."""

    FORECAST = 0
    """`threshold` of the alert that the business will run out before its reset."""

    business = models.ForeignKey(
        Profile, models.DO_NOTHING, db_constraint=False, related_name="+", verbose_name=_("business")
    )
    period = models.DateTimeField(_("period"))
    threshold = models.PositiveSmallIntegerField(_("threshold"))
    at = models.DateTimeField(_("when"))
    facts = models.JSONField(_("facts"), help_text=_("The data the messages are written from."))

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = [
            models.UniqueConstraint(
                fields=["business", "period", "threshold"], name="one_alert_per_period_and_threshold"
            )
        ]

    def __str__(self) -> str:
        return f"{self.business_id} {self.threshold}"


class Delivery(models.Model):
    """One message of an alert, retried until it is sent or given up."""

    class Channel(models.TextChoices):
        EMAIL = "email", _("e-mail")
        WEBHOOK = "webhook", _("webhook")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        GIVEN_UP = "given_up", _("given up")

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="deliveries", verbose_name=_("alert"))
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    target = models.TextField(_("to"))
    language = models.CharField(_("language"), max_length=2)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"))
    error = models.TextField(_("last error"), blank=True)

    class Meta:
        verbose_name = _("alert delivery")
        verbose_name_plural = _("alert deliveries")
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=models.Q(state="waiting"), name="waiting_deliveries")
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.target}"

    @property
    def message_id(self) -> str:
        """The message's id, the same for each attempt, so that a receiver can drop a message that arrives twice."""
        return f"quota-{self.alert.business_id}-{self.pk}"
