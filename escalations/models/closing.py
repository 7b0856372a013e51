"""What managers set up for closing cases: outcomes, canned notes, and who must write a note."""

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from usage.models import Profile


def in_language(english: str, arabic: str) -> str:
    """The one in the reader's language; the other where that is empty."""
    first, second = (arabic, english) if (get_language() or "").startswith("ar") else (english, arabic)
    return first or second


class ClosingOutcome(models.Model):
    """How a case can end. One that cases have ended with is not deleted but made inactive."""

    code = models.SlugField(_("code"), primary_key=True, help_text=_("What the history keeps; never changes."))
    name_en = models.CharField(_("name in English"), max_length=100)
    name_ar = models.CharField(_("name in Arabic"), max_length=100)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Whether it is offered."))

    class Meta:
        verbose_name = _("outcome")
        verbose_name_plural = _("outcomes")
        ordering = ["position", "code"]

    def __str__(self) -> str:
        return in_language(self.name_en, self.name_ar)


class CannedNote(models.Model):
    """A note that is written often."""

    title_en = models.CharField(_("title in English"), max_length=100)
    title_ar = models.CharField(_("title in Arabic"), max_length=100)
    text_en = models.TextField(_("text in English"))
    text_ar = models.TextField(_("text in Arabic"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Whether it is offered."))

    class Meta:
        verbose_name = _("canned note")
        verbose_name_plural = _("canned notes")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return in_language(self.title_en, self.title_ar)


class ClosingRule(models.Model):
    """What closing a case takes: of one business, or, without one, of all that have no rule of their own."""

    business = models.OneToOneField(
        Profile,
        models.DO_NOTHING,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="closing_rule",
        verbose_name=_("business"),
        help_text=_("Empty: every business without a rule of its own."),
    )
    note_required = models.BooleanField(_("note required"), default=False)

    class Meta:
        verbose_name = _("rule for closing")
        verbose_name_plural = _("rules for closing")
        constraints = [
            # nulls_distinct needs Postgres 15.
            models.UniqueConstraint(
                models.ExpressionWrapper(models.Q(business=None), output_field=models.BooleanField()),
                condition=models.Q(business=None),
                name="one_default_closing_rule",
            )
        ]

    def __str__(self) -> str:
        return str(self.business) if self.business_id else str(_("All others"))
