"""What the app itself must remember about the database it changes. All of it lives in schema `waops`."""

from functools import cached_property
from typing import Any, ClassVar, cast
from uuid import UUID

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from waops.access import concerns_everybody, with_limits, with_permissions
from waops.access_log import AccessRecord
from waops.incidents import Incident
from waops.operate.models import AcceptedDrift, Backup, ChecklistTick, ExplainBaseline, Operations, Snapshot
from waops.sign_in.models import SignInEvent

__all__ = [
    "AcceptedDrift",
    "AccessRecord",
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


class StaffManager(UserManager["User"]):
    use_in_migrations = False  # there may be no limits yet

    def get(self, *args: Any, **kwargs: Any) -> "User":
        """As of any manager. With limits and permissions: every request begins with this, and needs both."""
        return cast(User, with_permissions(with_limits(self.get_queryset())).get(*args, **kwargs))


class User(AbstractUser):
    """A member of staff. Our own model, because Django cannot exchange its own for another later."""

    objects: ClassVar[StaffManager] = StaffManager()

    class Meta(AbstractUser.Meta):
        permissions = [("see_numbers", _("Can see phone numbers in full"))]

    @cached_property
    def limited_to(self) -> list[UUID | None]:
        """As `waops.access.with_limits` reads it."""
        return User.objects.get(pk=self.pk).limited_to

    @cached_property
    def granted(self) -> list[str]:
        """As `waops.access.with_permissions` reads it."""
        return User.objects.get(pk=self.pk).granted

    @cached_property
    def _perm_cache(self) -> set[str]:
        """Where Django's ModelBackend looks for all permissions before it reads them in two queries of its own."""
        return self.get_user_permissions() if self.is_superuser else set(self.granted)

    @property
    def businesses(self) -> frozenset[UUID] | None:
        """Ids of the businesses that this person is limited to; None: not limited."""
        return frozenset(filter(None, self.limited_to)) if self.limited_to else None

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Whoever is limited to some businesses, superusers too, has no say in what concerns all of them."""
        if self.is_active and self.businesses is not None and concerns_everybody(perm):
            return False
        return super().has_perm(perm, obj)


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
