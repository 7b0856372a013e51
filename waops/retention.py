"""How long the app keeps what it wrote itself. The service's tables are never touched.

What decisions rest on has no period here and stays: the history of cases, of quotas, of logins and of the admin's
changes, counts of answers, installed objects, archived rows of repairs.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
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
"""Rows of one transaction: nobody waits for it noticeably."""


@dataclass(frozen=True)
class Kept:
    """Rows of `model` are kept for `days` after `moment`, and at least for `least`."""

    name: str
    label: Promise
    model: str
    moment: str
    days: int
    least: int = 0

    def old(self, now: datetime) -> models.QuerySet[Any]:
        before = now - timedelta(days=period(self))
        rows: models.QuerySet[Any] = apps.get_model(self.model)._base_manager.all()
        return rows.filter(**{f"{self.moment}__lt": before})


KEPT = (
    Kept("sessions", gettext_lazy("Sessions that have ended"), "sessions.Session", "expire_date", 0),
    Kept("viewings", gettext_lazy("Who had which case open"), "escalations.Viewing", "seen_at", 1),
    Kept("login_failures", gettext_lazy("Failed logins"), "axes.AccessAttempt", "attempt_time", 30),
    Kept("access", gettext_lazy("Access to personal data"), "waops.AccessRecord", "at", 365, least=30),
    Kept("incidents", gettext_lazy("Incidents of the message path"), "waops.Incident", "last_at", 365),
    Kept("alerts", gettext_lazy("Quota alerts and their messages"), "usage.Alert", "at", 730, least=62),
)


class RetentionError(Exception):
    """A period that is set cannot be used."""


@dataclass(frozen=True)
class Outcome:
    """`old` rows are past their period; `removed` of them are gone."""

    name: str
    days: int
    old: int
    removed: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def period(kept: Kept) -> int:
    """Days, as `settings.RETENTION_DAYS` says or by default. Raises RetentionError."""
    days: int = settings.RETENTION_DAYS.get(kept.name, kept.days)
    if days < kept.least:
        raise RetentionError(
            _("RETENTION_DAYS: %(name)s is kept for at least %(least)s days, not %(days)s.")
            % {"name": kept.name, "least": kept.least, "days": days}
        )
    return days


def check() -> None:
    """Raises RetentionError for a period of what is not known, or one that is too short."""
    names = [kept.name for kept in KEPT]
    if unknown := sorted(set(settings.RETENTION_DAYS).difference(names)):
        raise RetentionError(
            _("RETENTION_DAYS names “%(unknown)s”; it knows %(names)s.")
            % {"unknown": ", ".join(unknown), "names": ", ".join(names)}
        )
    for kept in KEPT:
        period(kept)


def retain(*, apply: bool, tell: Callable[[int], None] = lambda removed: None) -> Iterator[Outcome]:
    """Count what is past its period, table by table, and with `apply` remove it; `tell` hears of each batch.

    Raises RetentionError before anything is done. Interrupted and run again, it goes on.
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
        if batch:
            apps.get_model(kept.model)._base_manager.filter(pk__in=batch).delete()
    return len(batch)
