"""Delete the app's own data after a period, or empty its texts. The service's tables are never touched.

Data that decisions rest on has no period and is kept: the history of escalations, quotas, logins and admin changes,
counts of AI replies, installed objects, rows archived by repairs.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

BATCH = 5_000
"""Rows per transaction, so that no one waits noticeably."""


@dataclass(frozen=True)
class Kept:
    """Rows of `model` are kept for `days` after `moment`, and at least for `least`.

    With `text`, only that field of them is emptied. Rows that `only` does not match are kept.
    """

    name: str
    label: Promise
    model: str
    moment: str
    days: int
    least: int = 0
    text: str = ""
    only: models.Q = field(default_factory=models.Q)

    def old(self, now: datetime) -> models.QuerySet[Any]:
        before = now - timedelta(days=period(self))
        rows: models.QuerySet[Any] = apps.get_model(self.model)._base_manager.filter(self.only)
        is_full = ~models.Q(**{self.text: ""}) if self.text else models.Q()
        return rows.filter(is_full, **{f"{self.moment}__lt": before})


KEPT = [
    Kept("sessions", gettext_lazy("Expired sessions"), "sessions.Session", "expire_date", 0),
    Kept("form_keys", gettext_lazy("Keys of submitted forms"), "waops.UsedKey", "at", 7, least=1),
    Kept("login_failures", gettext_lazy("Failed logins"), "axes.AccessAttempt", "attempt_time", 30),
    Kept("access", gettext_lazy("Access to personal data"), "waops.AccessRecord", "at", 365, least=30),
    Kept("incidents", gettext_lazy("Message path incidents"), "waops.Incident", "last_at", 365),
    Kept("trace_lines", gettext_lazy("Trace lines"), "waops.TraceLine", "at", 7),
    Kept("adoption", gettext_lazy("Adoption readings"), "waops.AdoptionReading", "at", 30, least=2),
]
"""Apps add theirs."""


class RetentionError(Exception):
    """A configured period cannot be used."""


@dataclass(frozen=True)
class Outcome:
    """`old` rows are past their period; `removed` of them were deleted or emptied."""

    name: str
    days: int
    old: int
    removed: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def period(kept: Kept) -> int:
    """Days, from `settings.RETENTION_DAYS` or the default. Raises RetentionError."""
    days: int = settings.RETENTION_DAYS.get(kept.name, kept.days)
    if days < kept.least:
        raise RetentionError(
            _("RETENTION_DAYS: %(name)s must be kept for at least %(least)s days, not %(days)s.")
            % {"name": kept.name, "least": kept.least, "days": days}
        )
    return days


def check() -> None:
    """Check the configured periods. Raises RetentionError for an unknown name or a period that is too short."""
    names = [kept.name for kept in KEPT]
    if unknown := sorted(set(settings.RETENTION_DAYS).difference(names)):
        raise RetentionError(
            _("RETENTION_DAYS contains “%(unknown)s”. Use: %(names)s.")
            % {"unknown": ", ".join(unknown), "names": ", ".join(names)}
        )
    for kept in KEPT:
        period(kept)


def retain(*, apply: bool, tell: Callable[[int], None] = lambda removed: None) -> Iterator[Outcome]:
    """Count what is past its period, table by table, and with `apply` delete it; `tell` is called with each
    batch.

    Raises RetentionError before anything is done. If interrupted, run it again to continue.
    """
    check()
    now = timezone.now()
    for kept in KEPT:
        old = kept.old(now).count()
        removed = 0
        while apply and (batch := _remove(kept, now)):
            removed += batch
            tell(batch)
        yield Outcome(kept.name, period(kept), old, removed)


def _remove(kept: Kept, now: datetime) -> int:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_catalog.set_config('waops.retention', 'on', true)")
        batch = list(kept.old(now).order_by("pk").values_list("pk", flat=True)[:BATCH])
        # What was meanwhile changed into something that is kept stays.
        rows = kept.old(now).filter(pk__in=batch)
        if batch and kept.text:
            rows.update(**{kept.text: ""})
        elif batch:
            rows.delete()
    return len(batch)
