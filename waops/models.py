"""What the app itself must remember about the database it changes. All of it lives in schema `waops`."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from waops.incidents import Incident
from waops.operate.models import AcceptedDrift, Backup, ChecklistTick, ExplainBaseline, Operations, Snapshot
from waops.sign_in.models import SignInEvent

__all__ = [
    "AcceptedDrift",
    "ArchivedRow",
    "Backup",
    "ChecklistTick",
    "ExplainBaseline",
    "Incident",
    "InstalledObject",
    "Operations",
    "SignInEvent",
    "Snapshot",
    "User",
]


class User(AbstractUser):
    """A member of staff. Our own model, because Django cannot exchange its own for another later."""


class InstalledObject(models.Model):
    """An index, function or other object that a migration installs, and what stood there before.

    Written before the change, so that a killed migration that runs again still knows what was there first; read
    when the migration is reversed.
    """

    class Kind(models.TextChoices):
        INDEX = "index", _("index")
        FUNCTION = "function", _("function")
        SQL_FILE = "sql_file", _("SQL file")

    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    identity = models.TextField(_("object"), help_text=_("Name with its schema."))
    installed_by = models.TextField(
        _("installed by"), help_text=_("App, and the SQL file if there is one: one object may be replaced repeatedly.")
    )
    before = models.JSONField(_("before"), null=True, help_text=_("What stood there before; empty if nothing did."))
    installed_at = models.DateTimeField(_("installed at"), auto_now_add=True)

    class Meta:
        verbose_name = _("installed object")
        verbose_name_plural = _("installed objects")
        constraints = [
            models.UniqueConstraint(fields=["kind", "identity", "installed_by"], name="one_record_per_installation")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.identity}"


class ArchivedRow(models.Model):
    """A row of a foreign table as it was before a repair changed or removed it."""

    table = models.TextField(_("table"))
    row_id = models.TextField(_("row"))
    row = models.JSONField(_("content"))
    repair = models.TextField(_("repair"), help_text=_("Name of the command that did it."))
    archived_at = models.DateTimeField(_("archived at"), auto_now_add=True)

    class Meta:
        verbose_name = _("archived row")
        verbose_name_plural = _("archived rows")
        indexes = [models.Index(fields=["table", "row_id"], name="archived_row_by_origin")]

    def __str__(self) -> str:
        return f"{self.table} {self.row_id}"
