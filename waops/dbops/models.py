"""Operators' records: snapshots, recorded plans, backups, ticks of the checklist, accepted drift."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class NoRows(models.Manager["Operations"]):
    """The manager of a model without a table."""

    def get_queryset(self) -> models.QuerySet["Operations"]:
        return super().get_queryset().none()


class Operations(models.Model):
    """The permissions of the operations pages and their place in the navigation. Has no table."""

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
    """The database's figures at one moment, to compare with those of another.

    `figures` holds, by section (statements, tables, indexes, database), what waops.dbops.snapshots collects.
    """

    taken_at = models.DateTimeField(_("taken at"), auto_now_add=True)
    note = models.TextField(_("note"), blank=True)
    server_version = models.IntegerField(_("server version"), help_text=_("server_version_num, for example 150018."))
    figures = models.JSONField(_("figures"))
    commit_ms = models.FloatField(
        _("commit, ms"), null=True, help_text=_("Median time of a one-row update until its commit is acknowledged.")
    )
    probe = models.IntegerField(
        _("probe"), default=0, help_text=_("Rewritten to time a commit; the value has no meaning.")
    )

    class Meta:
        verbose_name = _("snapshot")
        verbose_name_plural = _("snapshots")
        ordering = ["-taken_at", "-pk"]
        indexes = [models.Index(fields=["taken_at"], name="snapshots_by_time")]

    def __str__(self) -> str:
        return f"{self.pk} {self.note}".strip()


class ExplainBaseline(models.Model):
    """Plans and times of the hot statements under one name. `plans`: by statement; see waops.dbops.explain."""

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
    """A backup taken by our command, or elsewhere and recorded by an operator."""

    class Kind(models.TextChoices):
        DUMP = "dump", _("pg_dump, restore tested")
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
    """A tick of a checklist item, or its undoing. The latest row of an item counts."""

    item = models.CharField(_("item"), max_length=50)
    done = models.BooleanField(_("done"))
    note = models.TextField(_("note"), blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("who"))
    by_name = models.TextField(_("name"), help_text=_("As it was at that time."))
    at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        verbose_name = _("checklist tick")
        verbose_name_plural = _("checklist ticks")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return self.item


class AcceptedDrift(models.Model):
    """A difference between the live tables and those this app was written for that an operator found to be right."""

    key = models.TextField(_("difference"), unique=True)
    by_name = models.TextField(_("accepted by"))
    at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        verbose_name = _("accepted difference")
        verbose_name_plural = _("accepted differences")

    def __str__(self) -> str:
        return self.key


class PeriodicRun(models.Model):
    """When a part of `manage.py periodic` last ran. `problem`: why its last run failed."""

    name = models.TextField(_("part"), primary_key=True)
    started_at = models.DateTimeField(_("last run"))
    ended_at = models.DateTimeField(_("ended at"), null=True)
    succeeded_at = models.DateTimeField(_("last success"), null=True)
    problem = models.TextField(_("problem"), blank=True)

    class Meta:
        verbose_name = _("periodic run")
        verbose_name_plural = _("periodic runs")

    def __str__(self) -> str:
        return self.name

    @property
    def is_failure(self) -> bool:
        """Whether the last run had a problem or did not finish."""
        return bool(self.problem) or self.ended_at is None or self.ended_at < self.started_at
