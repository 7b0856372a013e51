"""What operators keep: figures taken at a moment, recorded plans, backups, ticks of the checklist, accepted drift."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class NoRows(models.Manager["Operations"]):
    """For a model without a table."""

    def get_queryset(self) -> models.QuerySet["Operations"]:
        return super().get_queryset().none()


class Operations(models.Model):
    """No table: carries the permissions of the operations pages, and their place in the navigation."""

    objects = NoRows()

    class Meta:
        managed = False
        default_permissions = ()
        verbose_name = verbose_name_plural = _("operations")
        permissions = [
            ("view_operations", _("Can see the operations pages")),
            ("change_operations", _("Can record backups and tick the checklist")),
        ]

    def __str__(self) -> str:
        return "operations"


class Snapshot(models.Model):
    """The database's figures at one moment, to be compared with those of another.

    `figures` holds, by section (statements, tables, indexes, database), what waops.operate.snapshots collects.
    """

    taken_at = models.DateTimeField(_("taken at"), auto_now_add=True)
    note = models.TextField(_("note"), blank=True)
    server_version = models.IntegerField(_("server version"), help_text=_("As server_version_num: 150018."))
    figures = models.JSONField(_("figures"))
    commit_ms = models.FloatField(
        _("commit, ms"), null=True, help_text=_("Median time of a one-row update until its commit is acknowledged.")
    )
    probe = models.IntegerField(_("probe"), default=0, help_text=_("Rewritten to time a commit; means nothing."))

    class Meta:
        verbose_name = _("snapshot")
        verbose_name_plural = _("snapshots")
        ordering = ["-taken_at", "-pk"]
        indexes = [models.Index(fields=["taken_at"], name="snapshots_by_time")]

    def __str__(self) -> str:
        return f"{self.pk} {self.note}".strip()


class ExplainBaseline(models.Model):
    """Plans and times of the hot statements under one name. `plans`: by statement; see waops.operate.explain."""

    name = models.TextField(_("name"), unique=True)
    recorded_at = models.DateTimeField(_("recorded at"), auto_now_add=True)
    server_version = models.IntegerField(_("server version"))
    plans = models.JSONField(_("plans"))

    class Meta:
        verbose_name = _("EXPLAIN baseline")
        verbose_name_plural = _("EXPLAIN baselines")
        ordering = ["-recorded_at"]

    def __str__(self) -> str:
        return self.name


class Backup(models.Model):
    """A backup that was taken: by our command, or elsewhere and entered by an operator."""

    class Kind(models.TextChoices):
        DUMP = "dump", _("pg_dump, restored as a test")
        ENTERED = "entered", _("taken elsewhere")

    taken_at = models.DateTimeField(_("taken at"))
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    note = models.TextField(_("note"), blank=True)
    recorded_by = models.TextField(_("recorded by"))

    class Meta:
        verbose_name = _("backup")
        verbose_name_plural = _("backups")
        ordering = ["-taken_at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.taken_at:%Y-%m-%d %H:%M}"


class ChecklistTick(models.Model):
    """Somebody ticked an item of the checklist, or took the tick back. The latest row of an item counts."""

    item = models.CharField(_("item"), max_length=50)
    done = models.BooleanField(_("done"))
    note = models.TextField(_("note"), blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("who"))
    by_name = models.TextField(_("name"), help_text=_("As it was at that moment."))
    at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        verbose_name = _("tick of the checklist")
        verbose_name_plural = _("ticks of the checklist")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return self.item


class AcceptedDrift(models.Model):
    """A difference between the live tables and those this app was written for, which somebody found to be right."""

    key = models.TextField(_("difference"), unique=True)
    by_name = models.TextField(_("accepted by"))
    at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        verbose_name = _("accepted difference")
        verbose_name_plural = _("accepted differences")

    def __str__(self) -> str:
        return self.key
