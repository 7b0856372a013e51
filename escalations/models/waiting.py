"""How long a customer may wait, and when people work."""

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class WaitTarget(models.Model):
    """After how many minutes a wait is long, and too long, for the businesses of a plan."""

    class Clock(models.TextChoices):
        WORKING = "working", _("working hours only")
        ALWAYS = "always", _("day and night")

    plan_type = models.CharField(
        _("plan"), max_length=50, unique=True, blank=True, help_text=_("Empty: plans without a target of their own.")
    )
    warn_minutes = models.PositiveIntegerField(_("long after, in minutes"), validators=[MinValueValidator(1)])
    breach_minutes = models.PositiveIntegerField(_("too long after, in minutes"), validators=[MinValueValidator(1)])
    clock = models.CharField(_("counts"), max_length=10, choices=Clock.choices, default=Clock.WORKING)

    class Meta:
        verbose_name = _("waiting target")
        verbose_name_plural = _("waiting targets")
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
    """Hours of a weekday in which people work; several where the day is split, none on a day off.

    Times are of `settings.TIME_ZONE`. Hours that end at or before they begin end on the next day.
    """

    class Weekday(models.IntegerChoices):
        """As `date.weekday()` counts."""

        MONDAY = 0, _("Monday")
        TUESDAY = 1, _("Tuesday")
        WEDNESDAY = 2, _("Wednesday")
        THURSDAY = 3, _("Thursday")
        FRIDAY = 4, _("Friday")
        SATURDAY = 5, _("Saturday")
        SUNDAY = 6, _("Sunday")

    weekday = models.PositiveSmallIntegerField(_("day"), choices=Weekday.choices)
    begins = models.TimeField(_("from"))
    ends = models.TimeField(_("to"), help_text=_("A time that is not after “from” is on the next day."))

    class Meta:
        verbose_name = _("working hours")
        verbose_name_plural = _("working hours")
        ordering = ["weekday", "begins"]
        constraints = [models.UniqueConstraint(fields=["weekday", "begins"], name="hours_begin_once")]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.begins:%H:%M}–{self.ends:%H:%M}"
