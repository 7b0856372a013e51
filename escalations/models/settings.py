"""What managers set up for the desk: resolving, canned texts, SLA targets, working hours and known reasons."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from escalations.models.reply import LONGEST_REPLY
from usage.models import Profile
from usage.models.profile import one_default


def in_language(english: str, arabic: str) -> str:
    """The text in the reader's language, or the other if that is empty."""
    first, second = (arabic, english) if (get_language() or "").startswith("ar") else (english, arabic)
    return first or second


class ClosingOutcome(models.Model):
    """How an escalation can end. An outcome that was used is not deleted but made inactive."""

    code = models.SlugField(_("code"), primary_key=True, help_text=_("Stored in the history; never changes."))
    name_en = models.CharField(_("name in English"), max_length=100)
    name_ar = models.CharField(_("name in Arabic"), max_length=100)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Whether staff can choose it."))

    class Meta:
        verbose_name = _("outcome")
        verbose_name_plural = _("outcomes")
        ordering = ["position", "code"]

    def __str__(self) -> str:
        return in_language(self.name_en, self.name_ar)


class CannedNote(models.Model):
    """A note that staff use often."""

    title_en = models.CharField(_("title in English"), max_length=100)
    title_ar = models.CharField(_("title in Arabic"), max_length=100)
    text_en = models.TextField(_("text in English"))
    text_ar = models.TextField(_("text in Arabic"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Whether staff can choose it."))

    class Meta:
        verbose_name = _("canned note")
        verbose_name_plural = _("canned notes")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return in_language(self.title_en, self.title_ar)


class CannedReply(models.Model):
    """A reply that staff use often."""

    title_en = models.CharField(_("title in English"), max_length=100)
    title_ar = models.CharField(_("title in Arabic"), max_length=100)
    text_en = models.TextField(_("text in English"), max_length=LONGEST_REPLY)
    text_ar = models.TextField(_("text in Arabic"), max_length=LONGEST_REPLY)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Whether staff can choose it."))

    class Meta:
        verbose_name = _("canned reply")
        verbose_name_plural = _("canned replies")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return in_language(self.title_en, self.title_ar)


class ClosingRule(models.Model):
    """What resolving requires: for one business or, without one, for all that have no rule."""

    business = models.OneToOneField(
        Profile,
        models.DO_NOTHING,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="closing_rule",
        verbose_name=_("business"),
        help_text=_("Empty: every business without its own rule."),
    )
    note_required = models.BooleanField(_("note required"), default=False)

    class Meta:
        verbose_name = _("resolving rule")
        verbose_name_plural = _("resolving rules")
        constraints = [one_default("one_default_closing_rule")]

    def __str__(self) -> str:
        return Profile.name_of(self) if self.business_id else str(_("All others"))


class SLATarget(models.Model):
    """After how many minutes a wait is long, and too long, for the businesses of a plan."""

    class Clock(models.TextChoices):
        WORKING = "working", _("working hours only")
        ALWAYS = "always", _("day and night")

    plan_type = models.CharField(
        _("plan"), max_length=50, unique=True, blank=True, help_text=_("Empty: plans without their own target.")
    )
    warn_minutes = models.PositiveIntegerField(_("long after, in minutes"), validators=[MinValueValidator(1)])
    breach_minutes = models.PositiveIntegerField(_("too long after, in minutes"), validators=[MinValueValidator(1)])
    clock = models.CharField(_("counts"), max_length=10, choices=Clock.choices, default=Clock.WORKING)

    class Meta:
        verbose_name = _("SLA target")
        verbose_name_plural = _("SLA targets")
        ordering = ["plan_type"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(warn_minutes__lte=models.F("breach_minutes")),
                name="warned_before_too_long",
                violation_error_message=_("“Too long” cannot come before “long”."),
            )
        ]

    def __str__(self) -> str:
        return self.plan_type or str(_("All others"))


class WorkingDay(models.Model):
    """Working hours on a weekday: several rows if the day is split, none on a day off.

    Times are in `settings.TIME_ZONE`. Hours that end at or before their start end on the next day.
    """

    class Weekday(models.IntegerChoices):
        """Numbered like `date.weekday()`."""

        MONDAY = 0, _("Monday")
        TUESDAY = 1, _("Tuesday")
        WEDNESDAY = 2, _("Wednesday")
        THURSDAY = 3, _("Thursday")
        FRIDAY = 4, _("Friday")
        SATURDAY = 5, _("Saturday")
        SUNDAY = 6, _("Sunday")

    weekday = models.PositiveSmallIntegerField(_("day"), choices=Weekday.choices)
    begins = models.TimeField(_("from"))
    ends = models.TimeField(_("to"), help_text=_("If “to” is not after “from”, it means the next day."))

    class Meta:
        verbose_name = _("working hours")
        verbose_name_plural = _("working hours")
        ordering = ["weekday", "begins"]
        constraints = [models.UniqueConstraint(fields=["weekday", "begins"], name="hours_begin_once")]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.begins:%H:%M}–{self.ends:%H:%M}"


class KnownReason(models.Model):
    """A reason the service uses that this app has no label for, and that an operator has accepted."""

    reason = models.TextField(_("reason"), primary_key=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("accepted by")
    )
    accepted_at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        verbose_name = _("known reason")
        verbose_name_plural = _("known reasons")

    def __str__(self) -> str:
        return self.reason
