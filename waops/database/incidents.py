"""Count silent failures on the message path, so that operators see them."""

from django.db import connections, models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Incident(models.Model):
    """How often one thing went wrong in one function on one day (UTC).

    Written by SQL only: by `record` in Python, and by check_and_update_ai_usage inside the database.
    """

    class Kind(models.TextChoices):
        FALLBACK = "fallback", _("used the legacy path")
        UNKNOWN_BUSINESS = "unknown_business", _("allowed because the business is unknown")

    day = models.DateField(_("day"))
    procedure = models.TextField(_("function"))
    kind = models.TextField(_("kind"), choices=Kind.choices)
    detail = models.TextField(_("detail"), help_text=_("The SQLSTATE of the failure, or the unknown id."))
    occurrences = models.BigIntegerField(_("occurrences"))
    first_at = models.DateTimeField(_("first at"))
    last_at = models.DateTimeField(_("last at"))
    acknowledged_at = models.DateTimeField(_("acknowledged at"), null=True)
    acknowledged_by = models.TextField(_("acknowledged by"), blank=True, default="", db_default="")

    class Meta:
        app_label = "waops"
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        constraints = [
            models.UniqueConstraint(fields=["day", "procedure", "kind", "detail"], name="one_incident_per_day")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.procedure} {self.kind} {self.detail}"


UNSEEN = Q(acknowledged_at=None) | Q(last_at__gt=F("acknowledged_at"))
"""Occurred since an operator last acknowledged it."""

RECORD = """
    INSERT INTO waops.waops_incident AS incident (day, procedure, kind, detail, occurrences, first_at, last_at)
    VALUES ((now() AT TIME ZONE 'UTC')::date, %s, %s, %s, 1, now(), now())
    ON CONFLICT (day, procedure, kind, detail)
    DO UPDATE SET occurrences = incident.occurrences + 1, last_at = now()
"""


def acknowledge(procedure: str, by_name: str, using: str = "default") -> int:
    """Acknowledge everything that has happened so far. Returns how many rows of `procedure` were open."""
    waiting = Incident.objects.using(using).filter(procedure=procedure).filter(UNSEEN)
    return waiting.update(acknowledged_at=Now(), acknowledged_by=by_name)


def record(procedure: str, kind: Incident.Kind, detail: str, using: str = "default") -> None:
    """Count one more. One statement, safe under concurrency, and kept across processes."""
    with connections[using].cursor() as cursor:
        cursor.execute(RECORD, [procedure, kind.value, detail])
