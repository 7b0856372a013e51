"""Reasons for escalations that somebody here has looked at."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class KnownReason(models.Model):
    """A reason that the service gives and this app has no words for, and that is in order all the same."""

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
