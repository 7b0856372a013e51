"""The login history."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class SignInEvent(models.Model):
    """A login, a failed attempt, or a change of password or second factor. Append-only: a trigger refuses
    updates and deletes.

    Names that belong to no account are not kept: people type passwords into that field.
    """

    class Kind(models.TextChoices):
        LOGGED_IN = "logged_in", _("logged in")
        FAILED = "failed", _("wrong name or password")
        LOCKED_OUT = "locked_out", _("locked out after too many attempts")
        LOCK_LIFTED = "lock_lifted", _("lock lifted")
        LOGGED_OUT = "logged_out", _("logged out")
        CODE_ACCEPTED = "code_accepted", _("code accepted")
        BACKUP_CODE_USED = "backup_code_used", _("backup code used")
        CODE_REFUSED = "code_refused", _("wrong code")
        FACTOR_SET_UP = "factor_set_up", _("second factor set up")
        FACTOR_REMOVED = "factor_removed", _("second factor removed")
        BACKUP_CODES_MADE = "backup_codes_made", _("new backup codes")
        PASSWORD_CHANGED = "password_changed", _("password changed")

    kind = models.CharField(_("what"), max_length=20, choices=Kind.choices)
    at = models.DateTimeField(_("when"), auto_now_add=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("whose account")
    )
    person_name = models.TextField(
        _("account"), help_text=_("As it was at that time; empty if there is no such account.")
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("who")
    )
    actor_name = models.TextField(_("by"), help_text=_("Who did this to another person's account."))
    address = models.GenericIPAddressField(_("from where"), null=True)
    browser = models.TextField(_("browser"), help_text=_("As reported by the browser."))
    request_id = models.TextField(_("request"), help_text=_("The request id, as in the log."))

    class Meta:
        app_label = "waops"
        verbose_name = _("login")
        verbose_name_plural = _("logins")
        indexes = [
            models.Index(fields=["-at", "-id"], name="sign_ins_by_time"),
            models.Index(fields=["person", "-at"], name="sign_ins_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.person_name}"
