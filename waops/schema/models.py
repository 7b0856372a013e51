"""Records of what was installed and what repairs replaced, so that both can be undone."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class InstalledObject(models.Model):
    """An index, function or other object that a migration installs, and what it replaced.

    Written before the change, so that a killed migration that runs again still knows the original; read when the
    migration is reversed.
    """

    class Kind(models.TextChoices):
        INDEX = "index", _("index")
        FUNCTION = "function", _("function")
        SQL_FILE = "sql_file", _("SQL file")

    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    identity = models.TextField(_("object"), help_text=_("The name with its schema."))
    installed_by = models.TextField(
        _("installed by"),
        help_text=_("The app, and the SQL file if there is one: an object can be replaced several times."),
    )
    before = models.JSONField(_("before"), null=True, help_text=_("The previous definition; empty if there was none."))
    installed_at = models.DateTimeField(_("installed at"), auto_now_add=True)

    class Meta:
        app_label = "waops"
        verbose_name = _("installed object")
        verbose_name_plural = _("installed objects")
        constraints = [
            models.UniqueConstraint(fields=["kind", "identity", "installed_by"], name="one_record_per_installation")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.identity}"


class ArchivedRow(models.Model):
    """A row of the service's tables as it was before a repair changed or removed it."""

    table = models.TextField(_("table"))
    row_id = models.TextField(_("row"))
    row = models.JSONField(_("content"))
    repair = models.TextField(_("repair"), help_text=_("Name of the repair command."))
    archived_at = models.DateTimeField(_("archived at"), auto_now_add=True)

    class Meta:
        app_label = "waops"
        verbose_name = _("archived row")
        verbose_name_plural = _("archived rows")
        indexes = [models.Index(fields=["table", "row_id"], name="archived_row_by_origin")]

    def __str__(self) -> str:
        return f"{self.table} {self.row_id}"
